"""The metrics of one part of the data, under the names that they are tracked by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mmclf.evaluation.metrics import (
    METRICS,
    f1_of_present,
    f1_per_label,
    mean_average_precision,
    set_scores,
)
from mmclf.evaluation.threshold_search import Empty, best_global
from mmclf.evaluation.thresholds import Threshold, decide

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]


def probabilities_of(logits: NDArray[np.float32]) -> Floats:
    """Probabilities (N, L) in float64."""
    probabilities: Floats = expit(logits.astype(np.float64))
    return probabilities


def part_scores(
    part: str, loss: float, labels: Labels, probabilities: Floats, thresholds: Floats, empty: Empty
) -> dict[str, float]:
    """`PART/{loss,map}` and `PART/METRIC` of METRICS at the thresholds (L,)."""
    scores = set_scores(labels, decide(probabilities, thresholds, empty))
    scores["map"] = mean_average_precision(labels, probabilities)
    scores["loss"] = loss
    return {f"{part}/{name}": value for name, value in scores.items()}


def common_threshold_scores(
    part: str, labels: Labels, probabilities: Floats, fitted: float, empty: Empty
) -> dict[str, float]:
    """`PART/METRIC_at_0.5` and `PART/METRIC_fitted`: rules that are the same for every run."""
    scores: dict[str, float] = {}
    for rule, value in (("_at_0.5", 0.5), ("_fitted", fitted)):
        decided = decide(probabilities, np.full(labels.shape[1], value), empty)
        scores |= {f"{part}/{k}{rule}": v for k, v in set_scores(labels, decided).items()}
    return scores


def presence_scores(
    part: str, labels: Labels, probabilities: Floats, thresholds: Floats, empty: Empty
) -> dict[str, float]:
    """`PART/labels_without_positive`, and `PART/f1_macro_present`, macro-F1 without these.

    In macro-F1 each of them counts as 0, whatever is predicted.
    """
    decided = decide(probabilities, thresholds, empty)
    return {
        f"{part}/labels_without_positive": float((~labels.any(axis=0)).sum()),
        f"{part}/f1_macro_present": f1_of_present(labels, decided),
    }


def label_scores(
    names: Sequence[str], labels: Labels, probabilities: Floats, thresholds: Floats, empty: Empty
) -> dict[str, float]:
    """`test/f1_label/NAME` of every label."""
    scores = f1_per_label(labels, decide(probabilities, thresholds, empty))
    return {f"test/f1_label/{name}": float(f1) for name, f1 in zip(names, scores, strict=True)}


def monitored(
    monitor: str, loss: float, labels: Labels, probabilities: Floats, empty: Empty
) -> float:
    """The metric `monitor` of the validation samples, its sign such that more is better.

    None of them depends on the configured thresholds, which are no reason to train again; what an
    empty prediction becomes does count in `val/f1_samples_fitted`.
    """
    if monitor == "val/loss":
        return -loss
    if monitor == "val/map":
        return mean_average_precision(labels, probabilities)
    fitted = best_global(probabilities, labels, empty, "samples")
    decided = decide(probabilities, np.full(labels.shape[1], fitted), empty)
    return METRICS["f1_samples"].value(labels, decided)


def fit_thresholds(
    threshold: Threshold, labels: Labels, probabilities: Floats
) -> tuple[Floats, float]:
    """The configured thresholds (L,) and the one for samples-F1, both from validation samples."""
    fitted = best_global(probabilities, labels, threshold.empty, "samples")
    return threshold.fit(probabilities, labels), fitted
