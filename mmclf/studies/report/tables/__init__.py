"""The result as tables, and any table as text.

rendering     any table as text, Markdown, CSV and LaTeX
safe_text     its cells, as each form can show them
run_table     a row for each tracked run
arm_means     a row for each arm of a sweep
study_tables  the tables of a study
cost_columns  what runs cost beside time, for whoever asks
label_tables  the tables of labels
column_choice  some columns of a table, by short names
latex         a table as LaTeX, bare or as a float
paper_tables  the tables of a study and of runs as a paper has them
"""
