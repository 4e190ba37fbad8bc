"""Metrics of labels (N, L) against predicted label sets or probabilities (N, L), in one table.

scikit-learn is imported late: docs/architecture.md#late-imports
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import InputError, suggestion

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ratios = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class MeanOverSamples:
    """Resampled as a mean: `scores` (N, R) of labels (N, L) and the label sets (R, N, L)."""

    scores: Callable[[Labels, Labels], Floats]


@dataclass(frozen=True)
class RatioOfSums:
    """Resampled as a mean over G groups of sum(above) / sum(below), both sums over samples.

    `parts` gives whole numbers (N, R, G), what each sample adds to either (2 L at most), of labels
    (N, L) and the label sets (R, N, L).
    """

    parts: Callable[[Labels, Labels], Ratios]


@dataclass(frozen=True)
class Metric:
    """A metric of predicted label sets: how it is computed, compared and printed.

    `form` gives it of the label sets of many runs, and of samples that a bootstrap draws. `words`
    and `short` name it in a sentence and a table.
    """

    form: MeanOverSamples | RatioOfSums
    words: str
    short: str = "F1"
    higher_is_better: bool = True

    def value(self, labels: Labels, predicted: Labels) -> float:
        """The metric of label sets (N, L).

        >>> labels = np.array([[1, 0, 1], [0, 1, 0]], dtype=np.uint8)
        >>> METRICS["f1_samples"].value(labels, np.array([[1, 0, 0], [0, 1, 0]], dtype=np.uint8))
        0.8333333333333333
        """
        if isinstance(self.form, MeanOverSamples):
            return float(self.form.scores(labels, predicted[None])[:, 0].mean())
        return float(_ratio_of_sums(self.form, labels, predicted).mean())

    @property
    def sign(self) -> int:
        """What a value is multiplied by so that more is better: 1 or -1."""
        return 1 if self.higher_is_better else -1


def set_scores(labels: Labels, predicted: Labels) -> dict[str, float]:
    """Every metric of label sets (N, L), by its name in METRICS."""
    return {name: metric.value(labels, predicted) for name, metric in METRICS.items()}


def f1_per_label(labels: Labels, predicted: Labels) -> Floats:
    """F1 (L,) of every label; 0 where there is nothing to divide by."""
    return _ratio_of_sums(RatioOfSums(_label_counts), labels, predicted)


def f1_of_present(labels: Labels, predicted: Labels) -> float:
    """The mean F1 over the labels that have a positive, as macro-F1 over all; 0 if none has."""
    present = labels.any(axis=0)
    return float(f1_per_label(labels, predicted)[present].mean()) if present.any() else 0.0


def mean_average_precision(labels: Labels, probabilities: Floats) -> float:
    """The mean of the average precision over the labels that have a positive; 0 if none has."""
    from sklearn.metrics import average_precision_score

    present = labels.any(axis=0)
    if not present.any():
        return 0.0
    return float(
        average_precision_score(labels[:, present], probabilities[:, present], average="macro")
    )


def _label_counts(labels: Labels, predicted: Labels) -> Ratios:
    """Twice the hits, and predicted + true, of each label: what its F1 is made of."""
    return (
        2 * (labels & predicted).swapaxes(0, 1),
        (labels + predicted).swapaxes(0, 1),
    )


def _pooled_counts(labels: Labels, predicted: Labels) -> Ratios:
    """The same of all labels together."""
    above, below = _label_counts(labels, predicted)
    return above.sum(axis=2, keepdims=True), below.sum(axis=2, keepdims=True)


def _sample_f1(labels: Labels, predicted: Labels) -> Floats:
    """The F1 (N, R) of every sample in every run; 1 where none of its labels is true or predicted.

    So a sample without labels, for which nothing is predicted, is right. It is what scikit-learn
    gives with `zero_division=1`; of samples that all have a label there is none.
    """
    above, below = (part[:, :, 0] for part in _pooled_counts(labels, predicted))
    return np.where(below == 0, 1.0, ratio(above, below))


def _ratio_of_sums(form: RatioOfSums, labels: Labels, predicted: Labels) -> Floats:
    """sum(above) / sum(below) over the samples (G,)."""
    above, below = (part[:, 0].sum(axis=0) for part in form.parts(labels, predicted[None]))
    return ratio(above, below)


def ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """Above / below; 0 where there is nothing to divide by."""
    values: Floats = above.astype(np.float64) / np.maximum(below, 1)
    return values


# A new metric that runs log, and that can decide a study, is an entry here.
METRICS: Mapping[str, Metric] = {
    "f1_samples": Metric(MeanOverSamples(_sample_f1), "samples-F1"),
    "f1_micro": Metric(RatioOfSums(_pooled_counts), "micro-F1"),
    "f1_macro": Metric(RatioOfSums(_label_counts), "macro-F1"),
}
# By what ends a metric's name: the thresholds that its label sets follow, as a sentence says it.
RULES: Mapping[str, str] = {
    "": "",
    "_at_0.5": " at threshold 0.5",
    "_fitted": " at the threshold fitted on val",
}


@dataclass(frozen=True)
class DecidingMetric:
    """A tracked metric of the test set that decides a study: a metric, and a rule of RULES."""

    name: str
    rule: str

    @property
    def metric(self) -> Metric:
        """Its entry in the table."""
        return METRICS[self.name]

    @property
    def words(self) -> str:
        """As `samples-F1 on the test set`."""
        return f"{self.metric.words} on the test set{RULES[self.rule]}"

    def key(self, rule: str) -> str:
        """The key that the same metric is tracked by under a rule."""
        return f"test/{self.name}{rule}"


def deciding_metric(key: str) -> DecidingMetric:
    """The metric that is tracked as `key`; raises InputError unless it can decide a study."""
    metrics = [DecidingMetric(name, rule) for name in METRICS for rule in RULES]
    choices = {metric.key(metric.rule): metric for metric in metrics}
    if key not in choices:
        raise InputError(
            f"study.metric: found {key!r}, expected a metric of label sets on the test set: "
            f"{suggestion(key, choices)}"
        )
    return choices[key]
