"""Tables, plots and page of tracked runs.

tables          any table as text, Markdown, CSV and LaTeX
safe_text       its cells, as each form can show them
run_table       a row for each tracked run
collect         a study's result, out of its runs
results         what the result holds
notes           what is to be known before comparing
artifact_files  files among a run's artifacts, checked
predictions     the label sets that runs predicted
common_samples  test samples that runs have in common
compare         any two runs beside each other
study_tables    the tables of a study
answer          the result in words
details         curves and label shares of the main arms
read_details    where they come from
show            the result on a terminal
page            the result as a web page
publish         a study's folder
"""
