"""What outlives a process: stored results, tracked runs, and what a run ran on.

store             results of stages, by content
tracking          runs in MLflow
environment       processor, versions, commit
process_identity  which process is meant, and whether it is gone
stopwatch         seconds by stage
addresses         passwords in them
file_limits       how large files of other people may be
"""
