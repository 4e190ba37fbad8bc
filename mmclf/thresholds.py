"""Decide: probabilities (N, L) to label sets, by thresholds fitted on the validation samples."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

Empty = Literal["argmax", "empty"]
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
        if probabilities.shape != labels.shape:
            raise ValueError(
                f"probabilities {probabilities.shape} and labels {labels.shape} differ"
            )
        return np.full(labels.shape[1], self.value)


def decide(probabilities: Floats, thresholds: Floats, empty: Empty) -> Labels:
    """Label sets (N, L): the labels whose probability reaches the threshold (L,).

    A set that would be empty stays so, or gets its likeliest label (`argmax`).
    """
    chosen = (probabilities >= thresholds).astype(np.uint8)
    if empty == "argmax":
        rows = np.flatnonzero(~chosen.any(axis=1))
        chosen[rows, probabilities[rows].argmax(axis=1)] = 1
    return chosen


def best_for_samples_f1(probabilities: Floats, labels: Labels, empty: Empty) -> float:
    """The one threshold with the highest samples-F1, exactly; among equals the one nearest to 0.5.

    Going down from 1, every probability that the threshold passes adds a label to one sample and
    changes that sample's F1 = 2 tp / (predicted + true) alone; sorted by probability, the running
    sum of these changes is the score at every threshold.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranked = np.take_along_axis(probabilities, order, axis=1)
    hits = np.take_along_axis(labels, order, axis=1).cumsum(axis=1)
    predicted = np.arange(1, probabilities.shape[1] + 1)
    f1 = 2 * hits / (predicted + labels.sum(axis=1, keepdims=True))
    gains = np.diff(f1, axis=1, prepend=0.0)
    if empty == "argmax":
        # The likeliest label is predicted at every threshold: it is no change.
        gains, ranked, start = gains[:, 1:], ranked[:, 1:], float(f1[:, 0].sum())
    else:
        start = 0.0
    passed = np.argsort(-ranked, axis=None, kind="stable")
    values = ranked.ravel()[passed]
    scores = np.concatenate([[start], start + gains.ravel()[passed].cumsum()])
    upper = np.concatenate([[1.0], values])
    lower = np.concatenate([values, [0.0]])
    # A threshold must lie between two different probabilities to pass one and not the other.
    scores = np.where(upper > lower, scores, -np.inf)
    between = (upper + lower) / 2
    # Between neighbouring doubles the mean is rounded to one of them.
    between = np.where(between > lower, between, upper)
    best = np.flatnonzero(scores >= scores.max() - 1e-9)
    return float(between[best[np.abs(between[best] - 0.5).argmin()]])
