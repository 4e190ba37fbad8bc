"""Ablation studies of multimodal, multi-label classifiers."""
