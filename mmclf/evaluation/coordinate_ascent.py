"""Coordinate ascent of thresholds, one for each label, to a higher F1."""

from __future__ import annotations

import numpy as np

from mmclf.evaluation.threshold_candidates import (
    NOTHING,
    TOLERANCE,
    Average,
    Bools,
    Counts,
    Empty,
    Floats,
    Labels,
    Ranking,
    argbest,
    cumulative,
    f1_of_counts,
)


class CoordinateAscent:
    """Coordinate ascent of `thresholds` (L,) to a higher `score`, the mean F1.

    `passes` (L, N) holds the labels that pass their thresholds, before any prediction falls back
    to its most probable label.
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
        self.probabilities = np.ascontiguousarray(probabilities.T)
        self.true = np.ascontiguousarray(labels.T.astype(bool))
        self.falls_back = empty == "argmax"
        self.likeliest = probabilities.argmax(axis=1)
        self.likeliest_true = self.true[self.likeliest, np.arange(len(labels))]
        self.scores = {"macro": self._macro, "micro": self._micro, "samples": self._samples}[
            average
        ]
        self._update()

    def run(self, labels: Counts, ranking: Ranking) -> None:
        """Change one threshold after another until no single change is a gain.

        Args:
            labels: the columns (K,) whose thresholds are changed.
            ranking: of these K columns.

        """
        moved = True
        while moved:
            moved = False
            for label, order, cuts in zip(labels, ranking.order, ranking.cuts, strict=True):
                scores = self.scores(label, order)
                best, current = argbest(cuts, scores), self.passes[label].sum()
                if scores[best] > scores[current] + TOLERANCE:
                    self.thresholds[label] = cuts[best]
                    self._update()
                    moved = True
                self.score = float(scores[current])

    def _update(self) -> None:
        self.passes = self.probabilities >= self.thresholds[:, None]
        self.hits = self.passes & self.true
        self.size, self.correct = self.passes.sum(axis=0), self.hits.sum(axis=0)

    def _falls_back_without(self, label: int) -> Bools:
        """The samples (N,) that fall back to their most probable label unless `label` passes."""
        others: Bools = self.size > self.passes[label]
        return ~others & self.falls_back

    def _set_sizes(self, label: int) -> tuple[Counts, Counts, Counts, Counts]:
        """The numbers (N,) of predicted and of correct labels of each sample.

        The first two if `label` does not pass, the last two if it does.
        """
        falling_back = self._falls_back_without(label)
        size, correct = self.size - self.passes[label], self.correct - self.hits[label]
        old_size, old_correct = size + falling_back, correct + (falling_back & self.likeliest_true)
        return old_size, old_correct, size + 1, correct + self.true[label]

    # The following give the scores (N + 1,) if `label` passes for the first 0 to N of `order`.

    def _samples(self, label: int, order: Counts) -> Floats:
        size, correct, new_size, new_correct = self._set_sizes(label)
        positives = self.true.sum(axis=0)
        before = f1_of_counts(correct, size, positives, NOTHING["samples"])
        after = f1_of_counts(new_correct, new_size, positives)
        return cumulative(before.sum(), (after - before)[order]) / len(order)

    def _micro(self, label: int, order: Counts) -> Floats:
        size, correct, new_size, new_correct = self._set_sizes(label)
        hits = cumulative(correct.sum(), (new_correct - correct)[order])
        predicted = cumulative(size.sum(), (new_size - size)[order])
        return f1_of_counts(hits, predicted, self.true.sum())

    def _macro(self, label: int, order: Counts) -> Floats:
        falling_back = self._falls_back_without(label)
        sets = self.passes.copy()
        sets[label] = False
        sets[self.likeliest[falling_back], falling_back] = True
        size, correct = sets.sum(axis=1), (sets & self.true).sum(axis=1)
        positives = self.true.sum(axis=1)
        gained = np.flatnonzero(~sets[label, order])
        # A sample that had fallen back to another label loses that one.
        replaced = gained[falling_back[order[gained]]]
        losers = self.likeliest[order[replaced]]
        steps = [(label, gained, 1)]
        steps += [(other, replaced[losers == other], -1) for other in np.unique(losers)]
        changes = np.zeros(len(order))
        for other, positions, sign in steps:
            hits = correct[other] + sign * cumulative(0, self.true[other, order[positions]])
            predicted = size[other] + sign * np.arange(len(positions) + 1)
            changes[positions] += np.diff(f1_of_counts(hits, predicted, positives[other]))
        return cumulative(f1_of_counts(correct, size, positives).sum(), changes) / len(positives)
