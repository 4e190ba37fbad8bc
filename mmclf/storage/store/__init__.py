"""The content-addressed store of the results of stages.

store         get a stage's result, or compute it
stage_result  a result, computed or stored, and what it cost
serializer    how a value goes to files, and comes back
checkpoints   how far a computation is
entry         a stored result as a folder of files
hashing       digests of values and arrays
file_hasher   digests of files
inner_files   files that no name and no link leads to from outside
json_cache    small facts, remembered from run to run
arrays        arrays as files
atomic_write  files that are there whole or not at all
folder_swap   folders whose files are all of before or all of after
stage_lock    which process makes a result, where locks hold and where they do not
remote        a store behind the store, from which results come and to which they go
maintenance   what is stored, verified and pruned
"""
