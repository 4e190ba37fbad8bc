"""One run, from its configuration to its tracked results.

run               the way, from top to bottom
tracker_of        where the runs of a configuration are tracked
run_start         its start in MLflow, or that of a job begun again
run_logging       what it logs at its start and its end
result            what Python gets of it
preflight         what a run needs of this machine, looked for before it begins
image_size        what image.size=auto stands for
run_data          samples, split and images of a run
remote_store      the remote store of a run, if it has one
modalities        what each modality reads, and its part of the keys
encodings         what each modality does with torch, in a run and in prediction
empty_predictions what a prediction without labels becomes
stages            the stages and their keys
stage_runner      the stages that need torch
fit_result        the result of a fit
modality_ablation test samples that lack a modality
evaluation_stage  thresholds and metrics
epoch_log         the epochs, logged as they go by
figures           the plots of a run
error_figure      what it gets wrong, in pictures
artifacts         the files that a run leaves
stage_timing      what the stages cost
cost              what predictions cost, and memory and energy of the stages
cost_measurement  measures what predictions cost
narration         what a run tells of itself
run_naming        what a run is called
run_facts         what a tracked run was made of
distributed       a run in several processes
used_settings     the settings that are its parameters
explain           why a sample got its labels
predict           a tracked run's model on new samples
"""
