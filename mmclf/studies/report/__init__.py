"""Tables, plots and page of tracked runs.

tables          any table as text, Markdown, CSV and LaTeX
safe_text       its cells, as each form can show them
run_table       a row for each tracked run
scores          scores of runs, and on resamples, of what they predicted
contrasts       contrasts of arms by these scores
effects         what a study asks for, by these contrasts
collect         a study's result, out of its runs
variances       how much differences vary, from earlier studies
results         what the result holds
notes           what is to be known before comparing
artifact_files  files among a run's artifacts, checked
predictions     the label sets that runs predicted
common_samples  test samples that runs have in common
stopped         what looks called, when and why
interim         the estimates that a look sees
compare         any two runs beside each other
study_tables    the tables of a study
answer          the result in words
method_words    how intervals and verdicts were made
markdown        the result as a document
parent_summary  the result in a few words, for the parent run in MLflow
read_labels     each label against the baseline
label_tables    the tables of labels
details         curves and label shares of the main arms
read_details    where they come from
show            the result on a terminal
page            the result as a web page
publish         a study's folder
"""
