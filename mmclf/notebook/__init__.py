"""Many runs from Python, as objects that a notebook shows: tables, plots, an answer.

many_runs     `mmclf.sweep` and `mmclf.study`: run, then report
reading       `mmclf.report`: a study, two runs, or any runs, read back
study_report  what is shown of a study
runs_report   what is shown of runs beside each other
html          tables as a notebook shows them
"""
