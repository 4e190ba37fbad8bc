"""Search the thresholds from 0 to 1 that give the highest F1 of the validation samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Average = Literal["macro", "micro", "samples"]
Empty = Literal["argmax", "empty"]
Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Mean F1s that differ by less do so by rounding.
EQUAL = 1e-12


def best_global(probabilities: Floats, labels: Labels, empty: Empty, average: Average) -> float:
    """The one threshold with the highest F1, exactly; among equals the one nearest to 0.5.

    Probabilities and labels (N, L). Going down from 1, every probability that the threshold passes
    adds a label to one sample and changes the F1 = 2 tp / (predicted + true) of one group alone:
    its sample's (`samples`), its label's (`macro`) or that of all together (`micro`). Sorted by
    probability, the running sum of these changes is the score at every threshold.
    """
    always = np.zeros(labels.shape, dtype=bool)
    if empty == "argmax":
        # Whatever reaches a common threshold, the likeliest label does, or falls back to itself.
        always[np.arange(len(labels)), probabilities.argmax(axis=1)] = True
    true = _groups(labels.astype(bool), average)
    values, changes, start = _changes(
        _groups(probabilities, average), true, _groups(always, average)
    )
    passed = np.argsort(-values)
    cuts = _cuts(values[passed])
    return float(cuts[_best(cuts, _running(start, changes[passed]) / len(true))])


def best_per_label(probabilities: Floats, labels: Labels, empty: Empty, average: Average) -> Floats:
    """A threshold (L,) for each label, from probabilities and labels (N, L), for the highest F1.

    A label without positives keeps the best global threshold. For the others:

    - `macro` with `empty`: each label's own optimum, exactly.
    - `micro` with `empty`: the optimum, exactly, see `_best_for_micro`.
    - Otherwise a sample's other labels count in what a label is worth there: in the sample's F1
      (`samples`), or because the likeliest label stands in for all that pass nowhere (`argmax`).
      Coordinate ascent from the best global threshold, each step exact given the other thresholds,
      ends at a local optimum, never below the global threshold's score. `macro` and `micro` ascend
      from their optimum under `empty` too, and the better end is taken.
    """
    known = labels.any(axis=0)
    separable = empty == "empty" and average != "samples"
    thresholds = np.zeros(labels.shape[1])
    # Sorting all together takes longer than the rest: only where its threshold is used.
    if not (separable and known.all()):
        thresholds[:] = best_global(probabilities, labels, empty, average)
    if not known.any():
        return thresholds
    ranked = _ranked(probabilities[:, known], labels[:, known])
    starts = [thresholds]
    if average != "samples":
        unknown = int((probabilities[:, ~known] >= thresholds[~known]).sum())
        best = _best_for_macro(ranked) if average == "macro" else _best_for_micro(ranked, unknown)
        separate = thresholds.copy()
        separate[known] = np.take_along_axis(ranked.cuts, best[:, None], axis=1)[:, 0]
        starts.append(separate)
    if separable:
        return starts[-1]
    ascents = [_Ascent(probabilities, labels, empty, average, start) for start in starts]
    for ascent in ascents:
        ascent.run(np.flatnonzero(known), ranked)
    return max(ascents, key=lambda ascent: ascent.score).thresholds


def _groups(matrix: NDArray[Any], average: Average) -> NDArray[Any]:
    """The groups (G, K) that have an F1 each, of a matrix (N, L)."""
    return {"samples": matrix, "macro": matrix.T, "micro": matrix.reshape(1, -1)}[average]


def _cuts(values: Floats) -> Floats:
    """The thresholds (..., K + 1) that the first 0 to K of `values` (..., K) reach, sorted down.

    They lie midway between two different probabilities, nan between equal ones: none passes one
    and not the other. None up to 1 stops a 1, and only 0 lets a 0 pass.
    """
    edge = (*values.shape[:-1], 1)
    upper = np.concatenate([np.ones(edge), values], axis=-1)
    lower = np.concatenate([values, np.zeros(edge)], axis=-1)
    between = (upper + lower) / 2
    # Between neighbouring doubles the mean is rounded to one of them.
    between = np.where(between > lower, between, upper)
    parted = upper > lower
    parted[..., -1] = True
    return np.where(parted, between, np.nan)


def _best(cuts: Floats, scores: Floats | Counts) -> Counts:
    """The index (...) of the highest of `scores` (..., K), of equals that nearest to 0.5."""
    found = np.where(np.isnan(cuts), -np.inf, scores)
    highest = found >= found.max(axis=-1, keepdims=True) - EQUAL
    best: Counts = np.where(highest, np.abs(cuts - 0.5), np.inf).argmin(axis=-1)
    return best


def _f1(hits: Counts | Floats, predicted: Counts | Floats, true: Counts) -> Floats:
    """F1 of counts; 0 where there is nothing to divide by."""
    f1: Floats = 2 * hits / np.maximum(predicted + true, 1)
    return f1


def _changes(probabilities: Floats, true: Bools, always: Bools) -> tuple[Floats, Floats, float]:
    """What each probability that is not `always` passed adds to the F1s of its group (G, K).

    Returns these probabilities (M,), the changes (M,) and the sum of F1s (G,) before them.
    """
    order = np.argsort(-probabilities, axis=1)
    free = ~np.take_along_axis(always, order, axis=1)
    hit = np.take_along_axis(true, order, axis=1) & free
    positives = true.sum(axis=1, keepdims=True)
    hits = (true & always).sum(axis=1, keepdims=True)
    predicted = always.sum(axis=1, keepdims=True)
    start = _f1(hits, predicted, positives)
    after = _f1(hits + hit.cumsum(axis=1), predicted + free.cumsum(axis=1), positives)
    changes = np.diff(after, axis=1, prepend=start)
    values = np.take_along_axis(probabilities, order, axis=1)
    return values[free], changes[free], float(start.sum())


@dataclass(frozen=True)
class _Ranked:
    """Each label's samples from the likeliest down.

    `order` (L, N) are the samples; `cuts` and `hits` (L, N + 1) the threshold that the first 0 to N
    of them reach, and how many of these have the label; `positives` (L,) how many of all have it.
    """

    order: Counts
    cuts: Floats
    hits: Counts
    positives: Counts


def _ranked(probabilities: Floats, labels: Labels) -> _Ranked:
    # Sorting takes most of the time of a search: contiguous, and in any order of equals.
    falling = np.ascontiguousarray(-probabilities.T)
    order = np.argsort(falling, axis=1)
    hit = np.take_along_axis(labels.T, order, axis=1)
    hits = np.zeros((hit.shape[0], hit.shape[1] + 1), dtype=np.int64)
    np.cumsum(hit, axis=1, out=hits[:, 1:])
    cuts = _cuts(-np.take_along_axis(falling, order, axis=1))
    return _Ranked(order, cuts, hits, hits[:, -1])


def _best_for_macro(ranked: _Ranked) -> Counts:
    """How many samples (L,) each label's best threshold passes: F1s of labels are independent."""
    predicted = np.arange(ranked.hits.shape[1])
    return _best(ranked.cuts, _f1(ranked.hits, predicted, ranked.positives[:, None]))


def _best_for_micro(ranked: _Ranked, unknown: int) -> Counts:
    """How many samples (L,) each label's threshold passes at the highest micro-F1.

    F1 is a ratio of two sums over labels, 2 tp and predicted + true, where `unknown` predictions
    of labels without positives are given. Where no thresholds make the sum of 2 tp - F * (predicted
    + true) positive, F is the highest; its terms are maximised label by label, and what they come
    to is the next F (Dinkelbach 1967, On nonlinear fractional programming). In whole numbers, so
    that the end is exact.
    """
    predicted = np.arange(ranked.hits.shape[1])
    given = int(ranked.positives.sum()) + unknown
    above, below = 0, given
    while True:
        best = _best(ranked.cuts, 2 * below * ranked.hits - above * predicted)
        hits = np.take_along_axis(ranked.hits, best[:, None], axis=1)
        higher, lower = 2 * int(hits.sum()), int(best.sum()) + given
        if higher * below <= above * lower:
            return best
        above, below = higher, lower


class _Ascent:
    """Coordinate ascent of `thresholds` (L,) to a higher `score`, the mean F1.

    The label sets (N, L) at the thresholds are kept as `passes` (L, N), before any falls back.
    """

    def __init__(
        self,
        probabilities: Floats,
        labels: Labels,
        empty: Empty,
        average: Average,
        start: Floats,
    ) -> None:
        self.thresholds = start.copy()
        self.score = 0.0
        self.chances = np.ascontiguousarray(probabilities.T)
        self.true = np.ascontiguousarray(labels.T.astype(bool))
        self.falls_back = empty == "argmax"
        self.likeliest = probabilities.argmax(axis=1)
        self.likeliest_true = self.true[self.likeliest, np.arange(len(labels))]
        self.scores = {"macro": self._macro, "micro": self._micro, "samples": self._samples}[
            average
        ]
        self._place()

    def run(self, known: Counts, ranked: _Ranked) -> None:
        """Move one after another of the labels `known` until moving none of them alone gains."""
        moved = True
        while moved:
            moved = False
            for label, order, cuts in zip(known, ranked.order, ranked.cuts, strict=True):
                scores = self.scores(label, order)
                best, now = _best(cuts, scores), self.passes[label].sum()
                if scores[best] > scores[now] + EQUAL:
                    self.thresholds[label] = cuts[best]
                    self._place()
                    moved = True
                self.score = float(scores[now])

    def _place(self) -> None:
        self.passes = self.chances >= self.thresholds[:, None]
        self.hit = self.passes & self.true
        self.size, self.right = self.passes.sum(axis=0), self.hit.sum(axis=0)

    def _bare(self, label: int) -> Bools:
        """The samples (N,) that fall back to their likeliest label where `label` does not pass."""
        others: Bools = self.size > self.passes[label]
        return ~others & self.falls_back

    def _sets(self, label: int) -> tuple[Counts, Counts, Counts, Counts]:
        """The labels of each sample (N,) where `label` does not pass, then where it does.

        Each time, how many there are and how many of these are true.
        """
        bare = self._bare(label)
        size, right = self.size - self.passes[label], self.right - self.hit[label]
        old_size, old_right = size + bare, right + (bare & self.likeliest_true)
        return old_size, old_right, size + 1, right + self.true[label]

    # Each of the following gives the scores (N + 1,) if `label` passes the first 0 to N of `order`.

    def _samples(self, label: int, order: Counts) -> Floats:
        size, right, new_size, new_right = self._sets(label)
        positives = self.true.sum(axis=0)
        before, after = _f1(right, size, positives), _f1(new_right, new_size, positives)
        return _running(before.sum(), (after - before)[order]) / len(order)

    def _micro(self, label: int, order: Counts) -> Floats:
        size, right, new_size, new_right = self._sets(label)
        hits = _running(right.sum(), (new_right - right)[order])
        predicted = _running(size.sum(), (new_size - size)[order])
        return _f1(hits, predicted, self.true.sum())

    def _macro(self, label: int, order: Counts) -> Floats:
        bare = self._bare(label)
        sets = self.passes.copy()
        sets[label] = False
        sets[self.likeliest[bare], bare] = True
        size, right = sets.sum(axis=1), (sets & self.true).sum(axis=1)
        positives = self.true.sum(axis=1)
        gained = np.flatnonzero(~sets[label, order])
        # What had fallen back to another label is taken from it.
        taken = gained[bare[order[gained]]]
        losers = self.likeliest[order[taken]]
        turns = [(label, gained, 1)]
        turns += [(other, taken[losers == other], -1) for other in np.unique(losers)]
        changes = np.zeros(len(order))
        for one, where, sign in turns:
            hits = right[one] + sign * _running(0, self.true[one, order[where]])
            predicted = size[one] + sign * np.arange(len(where) + 1)
            changes[where] += np.diff(_f1(hits, predicted, positives[one]))
        return _running(_f1(right, size, positives).sum(), changes) / len(positives)


def _running(start: float, changes: Floats | Counts | Bools) -> Floats:
    """The value before and after each of `changes` (K,)."""
    return np.concatenate([[start], start + changes.cumsum()])
