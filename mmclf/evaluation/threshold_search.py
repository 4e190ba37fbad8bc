"""Search for the thresholds in [0, 1] with the highest F1 of the validation samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.coordinate_ascent import CoordinateAscent
from mmclf.evaluation.threshold_candidates import (
    NOTHING,
    Average,
    Bools,
    Counts,
    Empty,
    Floats,
    Labels,
    Ranking,
    argbest,
    candidate_cuts,
    cumulative,
    f1_of_counts,
    rank_samples,
)

__all__ = ["Average", "Empty", "best_global", "best_per_label"]


def best_global(probabilities: Floats, labels: Labels, empty: Empty, average: Average) -> float:
    """The exact threshold with the highest F1; of several, the one nearest to 0.5.

    When the threshold decreases from 1, every probability that it passes adds a label to a sample,
    and changes the F1 = 2 tp / (predicted + true) of one group only: that of the sample
    (`samples`), of the label (`macro`) or of all (`micro`). The cumulative sum of these changes,
    sorted by probability, is the score at every threshold.

    Args:
        probabilities: (N, L).
        labels: (N, L).
        empty: what a prediction without labels becomes.
        average: which F1.

    """
    always_passed = np.zeros(labels.shape, dtype=bool)
    if empty == "argmax":
        # The most probable label is predicted at any common threshold: it passes, or falls back.
        always_passed[np.arange(len(labels)), probabilities.argmax(axis=1)] = True
    true = _groups(labels.astype(bool), average)
    values, changes, start = _changes(
        _groups(probabilities, average), true, _groups(always_passed, average), NOTHING[average]
    )
    order = np.argsort(-values)
    cuts = candidate_cuts(values[order])
    return float(cuts[argbest(cuts, cumulative(start, changes[order]) / len(true))])


def best_per_label(probabilities: Floats, labels: Labels, empty: Empty, average: Average) -> Floats:
    """Thresholds (L,), one for each label, with a high F1.

    A label without positives keeps the best global threshold. For the others:

    - `macro` with `empty`: each label's optimum, exactly.
    - `micro` with `empty`: the joint optimum, exactly, see `_best_for_micro`.
    - Otherwise the effect of a label depends on a sample's other labels: by the sample's F1
      (`samples`), or because the most probable label replaces an empty prediction (`argmax`).
      Coordinate ascent from the best global threshold, with exact steps given the other thresholds,
      ends at a local optimum with at least the global threshold's score. `macro` and `micro` also
      start from their optimum under `empty`, and the better result is returned.

    Args:
        probabilities: (N, L).
        labels: (N, L).
        empty: what a prediction without labels becomes.
        average: which F1.

    """
    has_positives = labels.any(axis=0)
    separable = empty == "empty" and average != "samples"
    thresholds = np.zeros(labels.shape[1])
    # The global search takes longer than the rest: only if its threshold is used.
    if not (separable and has_positives.all()):
        thresholds[:] = best_global(probabilities, labels, empty, average)
    if not has_positives.any():
        return thresholds
    ranking = rank_samples(probabilities[:, has_positives], labels[:, has_positives])
    starts = [thresholds]
    if average != "samples":
        false_positives = int(
            (probabilities[:, ~has_positives] >= thresholds[~has_positives]).sum()
        )
        best = (
            _best_for_macro(ranking)
            if average == "macro"
            else _best_for_micro(ranking, false_positives)
        )
        separate = thresholds.copy()
        separate[has_positives] = np.take_along_axis(ranking.cuts, best[:, None], axis=1)[:, 0]
        starts.append(separate)
    if separable:
        return starts[-1]
    ascents = [CoordinateAscent(probabilities, labels, empty, average, start) for start in starts]
    for ascent in ascents:
        ascent.run(np.flatnonzero(has_positives), ranking)
    return max(ascents, key=lambda ascent: ascent.score).thresholds


def _groups(matrix: NDArray[Any], average: Average) -> NDArray[Any]:
    """A matrix (N, L) as groups (G, K), each with its own F1."""
    return {"samples": matrix, "macro": matrix.T, "micro": matrix.reshape(1, -1)}[average]


def _changes(
    probabilities: Floats, true: Bools, always_passed: Bools, nothing: float
) -> tuple[Floats, Floats, float]:
    """The changes of the F1s of groups (G, K) by each probability that is not always passed.

    Returns these M probabilities (M,), their changes (M,), and the sum of the F1s before them.
    `nothing`: the F1 of a group in which nothing is true or predicted.
    """
    order = np.argsort(-probabilities, axis=1)
    is_free = ~np.take_along_axis(always_passed, order, axis=1)
    is_hit = np.take_along_axis(true, order, axis=1) & is_free
    positives = true.sum(axis=1, keepdims=True)
    hits = (true & always_passed).sum(axis=1, keepdims=True)
    predicted = always_passed.sum(axis=1, keepdims=True)
    start = f1_of_counts(hits, predicted, positives, nothing)
    scores_after = f1_of_counts(
        hits + is_hit.cumsum(axis=1), predicted + is_free.cumsum(axis=1), positives, nothing
    )
    changes = np.diff(scores_after, axis=1, prepend=start)
    values = np.take_along_axis(probabilities, order, axis=1)
    return values[is_free], changes[is_free], float(start.sum())


def _best_for_macro(ranking: Ranking) -> Counts:
    """The number of samples (L,) that each label's best threshold for macro-F1 passes."""
    predicted = np.arange(ranking.hits.shape[1])
    return argbest(ranking.cuts, f1_of_counts(ranking.hits, predicted, ranking.positives[:, None]))


def _best_for_micro(ranking: Ranking, false_positives: int) -> Counts:
    """The number of samples (L,) that each label's threshold passes at the highest micro-F1.

    F1 is a ratio of two sums over labels, 2 tp and predicted + true. F is the maximum if no
    thresholds make the sum of 2 tp - F * (predicted + true) positive; otherwise the terms are
    maximised label by label, and their ratio is the next F (Dinkelbach 1967, On nonlinear
    fractional programming). Computed in integers, so that the end is exact.

    Args:
        ranking: of the labels with positives.
        false_positives: the predictions of the labels without positives.

    """
    predicted = np.arange(ranking.hits.shape[1])
    fixed = int(ranking.positives.sum()) + false_positives
    numerator, denominator = 0, fixed
    while True:
        counts = argbest(ranking.cuts, 2 * denominator * ranking.hits - numerator * predicted)
        hits = np.take_along_axis(ranking.hits, counts[:, None], axis=1)
        next_numerator, next_denominator = 2 * int(hits.sum()), int(counts.sum()) + fixed
        if next_numerator * denominator <= numerator * next_denominator:
            return counts
        numerator, denominator = next_numerator, next_denominator
