"""From the logits of a fit to thresholds and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation import scores
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.evaluation.thresholds import Threshold

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
EpochScores = Mapping[str, float]


@dataclass(frozen=True)
class EvaluationResult:
    """Thresholds (L,), the metrics of the best epoch, and those of train and val by epoch."""

    thresholds: Floats
    metrics: Mapping[str, float]
    history: Sequence[EpochScores]


def evaluate(
    outputs: Mapping[str, SplitOutputs],
    labels: Mapping[str, Labels],
    threshold: Threshold,
    label_names: Sequence[str],
) -> tuple[Floats, dict[str, float]]:
    """Thresholds (L,) from the validation samples, and the metrics of each part.

    Args:
        outputs: of `train`, `val` and `test`.
        labels: (N, L) of each of them.

    """
    chances = {part: scores.probabilities_of(each.logits) for part, each in outputs.items()}
    thresholds, fitted = scores.fit_thresholds(threshold, labels["val"], chances["val"])
    empty, metrics = threshold.empty, dict[str, float]()
    for part, output in outputs.items():
        true, chance = labels[part], chances[part]
        metrics |= scores.part_scores(part, output.loss, true, chance, thresholds, empty)
        if part != "train":
            metrics |= scores.common_threshold_scores(part, true, chance, fitted, empty)
            metrics |= scores.presence_scores(part, true, chance, thresholds, empty)
    metrics |= scores.label_scores(label_names, labels["test"], chances["test"], thresholds, empty)
    return thresholds, metrics


def evaluate_epoch(
    outputs: Mapping[str, SplitOutputs], labels: Mapping[str, Labels], threshold: Threshold
) -> dict[str, float]:
    """The metrics of `train` and `val` after an epoch, at the thresholds that val gives then."""
    chances = {part: scores.probabilities_of(each.logits) for part, each in outputs.items()}
    thresholds = threshold.fit(chances["val"], labels["val"])
    metrics: dict[str, float] = {}
    for part, output in outputs.items():
        metrics |= scores.part_scores(
            part, output.loss, labels[part], chances[part], thresholds, threshold.empty
        )
    return metrics
