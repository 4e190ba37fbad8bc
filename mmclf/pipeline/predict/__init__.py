"""Prediction from a tracked run: its model restored, and its labels for new samples.

predictor   load(run_id), for notebooks
restore     the run's model, built again
claims      how large that claims to be, held against its weights
source      the samples that a run's own source reads
table       predictions as a table, and its file
inputs      images and captions in the forms that a notebook has
forward     forward passes in which samples do not depend on each other
close_calls samples that are computed alone, as rounding decides their labels
mlflow_loader what MLflow calls to load a run's model
onnx_graphs a model as modules of plain tensors
onnx_export files of ONNX, checked against torch
copied      frozen encoders copied into a model, which then needs nothing else
"""
