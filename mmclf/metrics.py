"""Metrics of labels (N, L) against predicted label sets (N, L) or probabilities (N, L)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]


def f1_scores(labels: Labels, predicted: Labels) -> dict[str, float]:
    """F1 as `f1_macro` (mean over labels), `f1_micro` (pooled) and `f1_samples` (mean over samples).

    Where there is nothing to divide by, 0.
    """
    return {
        f"f1_{average}": float(f1_score(labels, predicted, average=average, zero_division=0))
        for average in ("macro", "micro", "samples")
    }


def f1_per_label(labels: Labels, predicted: Labels) -> Floats:
    """F1 (L,) of every label; 0 where there is nothing to divide by."""
    scores: Floats = np.asarray(f1_score(labels, predicted, average=None, zero_division=0))
    return scores


def mean_average_precision(labels: Labels, probabilities: Floats) -> float:
    """The mean of the average precision over the labels that have a positive; 0 if none has."""
    known = labels.any(axis=0)
    if not known.any():
        return 0.0
    return float(average_precision_score(labels[:, known], probabilities[:, known], average="macro"))
