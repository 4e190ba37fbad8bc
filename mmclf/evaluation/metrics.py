"""Metrics of labels (N, L) against predicted label sets (N, L) or probabilities (N, L)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]


def f1_scores(labels: Labels, predicted: Labels) -> dict[str, float]:
    """F1: `f1_macro` (mean over labels), `f1_micro` (pooled), `f1_samples` (mean over samples).

    Where there is nothing to divide by, 0.
    """
    true, found = _as_multilabel(labels), _as_multilabel(predicted)
    pooled = {
        f"f1_{average}": float(f1_score(true, found, average=average, zero_division=0))
        for average in ("micro", "samples")
    }
    return {"f1_macro": float(f1_per_label(labels, predicted).mean()), **pooled}


def f1_per_label(labels: Labels, predicted: Labels) -> Floats:
    """F1 (L,) of every label; 0 where there is nothing to divide by."""
    true, found = _as_multilabel(labels), _as_multilabel(predicted)
    scores: Floats = np.asarray(f1_score(true, found, average=None, zero_division=0))
    return scores[: labels.shape[1]]


def _as_multilabel(matrix: Labels) -> Labels:
    # scikit-learn takes a single column for the classes 0 and 1; an empty one adds nothing.
    return np.pad(matrix, ((0, 0), (0, 1))) if matrix.shape[1] == 1 else matrix


def mean_average_precision(labels: Labels, probabilities: Floats) -> float:
    """The mean of the average precision over the labels that have a positive; 0 if none has."""
    known = labels.any(axis=0)
    if not known.any():
        return 0.0
    return float(
        average_precision_score(labels[:, known], probabilities[:, known], average="macro")
    )
