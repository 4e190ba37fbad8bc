"""What outlives a process: stored results, tracked runs, and what a run ran on.

store             results of stages, by content
tracking          runs in MLflow
environment       processor, versions, commit
packages          what is installed, without addresses
working_tree      what is not committed where one works
batch_job         the job of a batch system that this process is of
launched          this process's place among several that a launcher started
process_identity  which process is meant, and whether it is gone
stopwatch         seconds by stage
meter             memory and energy of a computation
addresses         passwords in them
waiting           calls that are waited for so long, and servers that are there
file_limits       how large files of other people may be
"""
