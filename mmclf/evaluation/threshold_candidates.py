"""Candidate thresholds from sorted probabilities, and the F1 that they reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Average = Literal["macro", "micro", "samples"]
Empty = Literal["argmax", "empty"]
Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]

# The F1 where nothing is true and nothing predicted: of a sample without labels that is right.
NOTHING: Mapping[Average, float] = {"macro": 0.0, "micro": 0.0, "samples": 1.0}
# Mean F1s that differ by less are equal up to rounding.
TOLERANCE = 1e-12


def candidate_cuts(values: Floats) -> Floats:
    """Thresholds (..., K + 1) that the first 0 to K of the descending `values` (..., K) reach.

    They are midway between two different values, and nan between equal ones, which no threshold
    separates. A value of 1 reaches every threshold, a value of 0 only the threshold 0.
    """
    edge = (*values.shape[:-1], 1)
    upper = np.concatenate([np.ones(edge), values], axis=-1)
    lower = np.concatenate([values, np.zeros(edge)], axis=-1)
    middle = (upper + lower) / 2
    # The mean of two adjacent doubles is rounded to one of them.
    middle = np.where(middle > lower, middle, upper)
    distinct = upper > lower
    distinct[..., -1] = True
    return np.where(distinct, middle, np.nan)


def argbest(cuts: Floats, scores: Floats | Counts) -> Counts:
    """The index (...) of the highest of `scores` (..., K); of several, the cut nearest to 0.5."""
    valid = np.where(np.isnan(cuts), -np.inf, scores)
    highest = valid >= valid.max(axis=-1, keepdims=True) - TOLERANCE
    index: Counts = np.where(highest, np.abs(cuts - 0.5), np.inf).argmin(axis=-1)
    return index


def f1_of_counts(
    hits: Counts | Floats, predicted: Counts | Floats, true: Counts, nothing: float = 0.0
) -> Floats:
    """F1 from counts; `nothing` where the denominator is 0."""
    below = predicted + true
    f1: Floats = 2 * hits / np.maximum(below, 1)
    return np.where(below == 0, nothing, f1) if nothing else f1


@dataclass(frozen=True)
class Ranking:
    """The samples of each label, by descending probability.

    Args:
        order: (L, N) the samples.
        cuts: (L, N + 1) the threshold that the first 0 to N samples reach.
        hits: (L, N + 1) the number of positives among the first 0 to N samples.
        positives: (L,) the number of positives.

    """

    order: Counts
    cuts: Floats
    hits: Counts
    positives: Counts


def rank_samples(probabilities: Floats, labels: Labels) -> Ranking:
    """Sort the samples of each label, from probabilities and labels (N, L)."""
    # Sorting takes most of the time: contiguous arrays, and no stable order.
    negated = np.ascontiguousarray(-probabilities.T)
    order = np.argsort(negated, axis=1)
    is_hit = np.take_along_axis(labels.T, order, axis=1)
    hits = np.zeros((is_hit.shape[0], is_hit.shape[1] + 1), dtype=np.int64)
    np.cumsum(is_hit, axis=1, out=hits[:, 1:])
    cuts = candidate_cuts(-np.take_along_axis(negated, order, axis=1))
    return Ranking(order, cuts, hits, hits[:, -1])


def cumulative(start: float, changes: Floats | Counts | Bools) -> Floats:
    """The values (K + 1,) before and after each of `changes` (K,)."""
    return np.concatenate([[start], start + changes.cumsum()])
