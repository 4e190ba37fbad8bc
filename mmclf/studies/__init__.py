"""Studies: questions over config groups, answered by tracked runs.

factors        what a study varies
design_kinds   the designs, an object each
design         the arms and effects of one study
arms           every arm composed and checked
definition     the question, as it is kept with the runs
fingerprint    what the runs come from beyond their settings
run_key        which run of a study a run is
looks          the plan of a study that stops when decided, and its looks
pending        the runs that are still to be done
time_estimate  how long they will take
cells          runs those that no other process is at
rounds         runs a study that stops when decided
parent         the run above all runs of a study, which processes agree on
run            from the parent run to the report
statistics     intervals, p-values, attribution
comparison     the same of anybody's predictions
earlier        what was scored on the same test samples before
report         tables, plots and page
"""
