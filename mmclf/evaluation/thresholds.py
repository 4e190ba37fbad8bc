"""Decide: probabilities (N, L) to label sets, by thresholds fitted on the validation samples."""

from __future__ import annotations

from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from mmclf.evaluation.threshold_search import Average, Empty, best_global, best_per_label

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Threshold(Protocol):
    """A rule for thresholds; `empty` says what becomes of a prediction without labels."""

    empty: Empty

    def fit(self, probabilities: Floats, labels: Labels) -> Floats:
        """Thresholds (L,) from validation probabilities and labels (N, L)."""


class Fixed:
    """The same threshold for every label, given beforehand."""

    def __init__(
        self,
        value: Annotated[float, Field(ge=0, le=1)] = 0.5,
        empty: Empty = "argmax",
    ) -> None:
        self.value = value
        self.empty = empty

    def fit(self, probabilities: Floats, labels: Labels) -> Floats:
        """The given threshold for each of L labels; nothing is learnt from the samples."""
        _check_shapes(probabilities, labels)
        return np.full(labels.shape[1], self.value)


class GlobalF1:
    """One threshold for all labels, with the highest F1 of the validation samples.

    `average`: the mean F1 over labels (`macro`) or samples (`samples`), or that of all predictions
    together (`micro`).
    """

    def __init__(self, average: Average = "samples", empty: Empty = "argmax") -> None:
        self.average = average
        self.empty = empty

    def fit(self, probabilities: Floats, labels: Labels) -> Floats:
        """The best threshold for each of L labels, exactly; of equals that nearest to 0.5."""
        _check_shapes(probabilities, labels)
        found = best_global(probabilities, labels, self.empty, self.average)
        return np.full(labels.shape[1], found)


class PerLabelF1:
    """A threshold for each label, together with the highest F1 of the validation samples.

    `average` as for GlobalF1. A label without positives keeps GlobalF1's threshold.
    """

    def __init__(self, average: Average = "samples", empty: Empty = "argmax") -> None:
        self.average = average
        self.empty = empty

    def fit(self, probabilities: Floats, labels: Labels) -> Floats:
        """The thresholds (L,): the best for `macro` and `micro` with `empty`, else a local optimum.

        Never below GlobalF1's score on these samples.
        """
        _check_shapes(probabilities, labels)
        return best_per_label(probabilities, labels, self.empty, self.average)


def decide(probabilities: Floats, thresholds: Floats, empty: Empty) -> Labels:
    """Label sets (N, L): the labels whose probability reaches the threshold (L,).

    A set that would be empty stays so, or gets its likeliest label (`argmax`).
    """
    chosen = (probabilities >= thresholds).astype(np.uint8)
    if empty == "argmax":
        rows = np.flatnonzero(~chosen.any(axis=1))
        chosen[rows, probabilities[rows].argmax(axis=1)] = 1
    return chosen


def _check_shapes(probabilities: Floats, labels: Labels) -> None:
    if probabilities.shape != labels.shape:
        raise ValueError(f"probabilities {probabilities.shape} and labels {labels.shape} differ")
