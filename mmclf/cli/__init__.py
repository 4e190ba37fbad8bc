"""The command line, one file a command.

main        the entry: what the command line asks for
processes   a command in several processes
grammar     which word is the command, and what to type instead of another
completion  what the Tab key completes
command_parser  the options of a command of its own
launch      run, sweep or study, by what the composed command line asks for
job         the job that Hydra calls: one run
summary     what a run came to, for a person
sweep_lines  what a sweep or a study shows while it runs
run_names   what its runs are called
multirun    a sweep under one parent run, or a study with its report
worker_job  one of its runs in a process of a launcher's
ray_tasks   runs as tasks of Ray, begun again if a node dies
ray_cluster  the Ray that they go to, and a run's share of it
plan        what a study would do, and how long it would take: its command line
plan_study  its arms, finished runs and outlook, printed
plan_times  the time left, by arm and by stage
plan_power  which differences it would show
show        the config groups, their levels, the settings of a level
data        a data level guessed from files
doctor      a data set examined before anything is trained on it
doctor_report   its report as text, Markdown and CSV
report      tables of tracked runs
runs        the tracked runs, filtered and sorted, or a leaderboard of arms
diff        what differs between two runs
tracked_runs  where runs are tracked, for the commands that read them
explain     pictures of why samples got their labels
predict     a file of labels from a tracked run
export      its model as a file for other runtimes
cache       what the store holds, checked and pruned
streams     standard output and error, which may be closed or unread
columns     names with their descriptions, 80 columns wide
"""
