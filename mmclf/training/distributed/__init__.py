"""Several processes that train one model together.

links         orders, answers and signs of life between the main process and the others
collectives   what all do at once: sums, copies and parts of tensors
world         all processes, as seen by one of them: orders, answers, the end
strategies    which strategy trains a model, and the score that all agree on
data_parallel each process has all weights
sharded       each process has a part of the weights
whole_batch   the logits of a batch that processes have shares of
agreed_keeper checkpoints at a step that all processes agree on
"""
