"""Rules for thresholds, fitted on validation samples, and label sets at thresholds."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmclf.evaluation.threshold_search import Average, Empty, best_global, best_per_label

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
EmptyRule = Literal["auto", "argmax", "empty"]
AUTO: EmptyRule = "auto"


class Threshold(Protocol):
    """A rule for thresholds; `empty` is what a prediction without labels becomes.

    >>> class Prevalence:
    ...     empty: Empty = "argmax"
    ...
    ...     def fit(self, probabilities: Floats, labels: Labels) -> Floats:
    ...         return np.quantile(probabilities, 1 - labels.mean(), axis=0)
    >>> rule: Threshold = Prevalence()
    >>> rule.fit(np.array([[0.2], [0.4], [0.9]]), np.array([[0], [1], [1]], dtype=np.uint8))
    array([0.33333333])
    """

    empty: Empty

    def fit(self, probabilities: Floats, labels: Labels) -> Floats:
        """Thresholds (L,) from validation probabilities and labels (N, L)."""


class Fixed:
    """The same fixed threshold for every label.

    >>> Fixed(0.4).fit(np.zeros((5, 2)), np.zeros((5, 2), dtype=np.uint8))
    array([0.4, 0.4])
    """

    def __init__(
        self,
        value: Annotated[float, Field(ge=0, le=1)] = 0.5,
        empty: EmptyRule = AUTO,
    ) -> None:
        self.value = value
        self.empty = empty_of(empty)

    def fit(self, probabilities: Floats, labels: Labels) -> Floats:
        """The fixed threshold for each of L labels (L,), whatever the samples."""
        _check_shapes(probabilities, labels)
        return np.full(labels.shape[1], self.value)


class GlobalF1:
    """One threshold for all labels, with the highest F1 of the validation samples.

    `average`: the mean F1 over labels (`macro`) or samples (`samples`), or the F1 of all
    predictions (`micro`).

    >>> probabilities = np.array([[0.2, 0.1], [0.3, 0.1], [0.9, 0.4]])
    >>> labels = np.array([[0, 0], [1, 0], [1, 1]], dtype=np.uint8)
    >>> GlobalF1(empty="empty").fit(probabilities, labels)
    array([0.25, 0.25])
    """

    def __init__(self, average: Average = "samples", empty: EmptyRule = AUTO) -> None:
        self.average = average
        self.empty = empty_of(empty)

    def fit(self, probabilities: Floats, labels: Labels) -> Floats:
        """The best threshold, exactly, for each of L labels (L,); of several, nearest to 0.5."""
        _check_shapes(probabilities, labels)
        threshold = best_global(probabilities, labels, self.empty, self.average)
        return np.full(labels.shape[1], threshold)


class PerLabelF1:
    """A threshold for each label, with a high F1 of the validation samples.

    `average` as in GlobalF1. A label without positives keeps GlobalF1's threshold.

    >>> probabilities = np.array([[0.2, 0.6], [0.7, 0.8], [0.9, 0.1]])
    >>> PerLabelF1().fit(probabilities, np.array([[0, 0], [1, 1], [1, 0]], dtype=np.uint8)).shape
    (2,)
    """

    def __init__(self, average: Average = "samples", empty: EmptyRule = AUTO) -> None:
        self.average = average
        self.empty = empty_of(empty)

    def fit(self, probabilities: Floats, labels: Labels) -> Floats:
        """Thresholds (L,): optimal for `macro` and `micro` with `empty`, else a local optimum.

        Their score on these samples is never below GlobalF1's.
        """
        _check_shapes(probabilities, labels)
        return best_per_label(probabilities, labels, self.empty, self.average)


def empty_of(rule: EmptyRule, *, has_unlabelled: bool = False) -> Empty:
    """What a prediction without labels becomes by a rule that may be `auto`.

    Where samples may have no label it is none (`empty`), and else wrong: the likeliest stands in.

    >>> empty_of("auto"), empty_of("auto", has_unlabelled=True)
    ('argmax', 'empty')
    """
    if rule == "auto":
        return "empty" if has_unlabelled else "argmax"
    return rule


def decide(probabilities: Floats, thresholds: Floats, empty: Empty) -> Labels:
    """Label sets (N, L): the labels whose probability reaches the threshold (L,).

    An empty set stays empty (`empty`), or gets its most probable label (`argmax`).

    >>> decide(np.array([[0.2, 0.6], [0.1, 0.4]]), np.array([0.5, 0.5]), "argmax")
    array([[0, 1],
           [0, 1]], dtype=uint8)
    """
    label_sets = (probabilities >= thresholds).astype(np.uint8)
    if empty == "argmax":
        rows = np.flatnonzero(~label_sets.any(axis=1))
        label_sets[rows, probabilities[rows].argmax(axis=1)] = 1
    return label_sets


def _check_shapes(probabilities: Floats, labels: Labels) -> None:
    if probabilities.shape != labels.shape:
        raise ValueError(f"probabilities {probabilities.shape} and labels {labels.shape} differ")
