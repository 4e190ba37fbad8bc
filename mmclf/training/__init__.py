"""From samples to a trained model.

device          the device that torch computes on
hardware        its name, without torch where it is surely the CPU
precision       the precision in which frozen encoders run
prefetch        batches made ready while another is computed on
encoding        how each modality is encoded or read
image_encoding  how images are
text_encoding   how captions are
warm_up         what a process pays at first use, before the clocks
encode          frozen encoders over all samples
features        their results
batches         what the trainer draws its batches from
batch_augment   crops and flips of whole batches
components      model, loss, optimizer and scheduler of a run
cuda_graphs     passes of an encoder as CUDA graphs
step_graphs     training steps on features as CUDA graphs
share           what one of several processes computes of a batch
draw            the batches of an epoch
learner_state   where a learner is, and what its next step depends on
strategy        where the weights are, and who computes which rows
evaluate        the clean outputs of a model
distributed     several processes that train one model
learner         a model with what trains it, an epoch at a time
checkpoint      how far a fit is
state_files     its states as files
interruption    signals that wait until it is kept
keeper          keeps it in the store
trainer         the training loop
fit_data        labels, parts, and the inputs of each sample
fit             the best epoch, and the refit
prediction_cost what a prediction costs, as numbers
measure_cost    measures it
"""
