"""Repair of a stratified division: labels back into training, sizes as they were asked for.

Iterative stratification takes one label after another and looks at the number of samples last, so
with many rare labels the sizes are far off, and a label may end outside of training. Here groups
are moved one after another, always one whose move leaves the label shares best.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mmclf.data.grouped import Grouped, Mask, Numbers

AT_ONCE = 1 / 32  # of what is too much, moved before costs are computed again
MAX_CANDIDATES = 20_000  # whose costs are computed, drawn at random


class Division:
    """A division of groups into those that are held out and those that are kept for training.

    Args:
        groups: G of them.
        held: (G,) which of them are held out; it is changed.
        wanted: number of samples to hold out.
        seed: of the order in which groups that are equally good are moved.

    """

    def __init__(self, groups: Grouped, held: Mask, wanted: float, seed: int) -> None:
        self._counts, self._sizes, self.held = groups.counts, groups.sizes, held
        self._order = np.random.RandomState(seed).permutation(len(groups))
        totals = self._counts.sum(axis=0, dtype=np.int64)
        self._rates, self._scale = totals / self._sizes.sum(), 1 / np.maximum(totals, 1)
        # The positives (L,) of each label in both sides, and the samples held out beyond `wanted`.
        self._held_positives = self._counts[held].sum(axis=0, dtype=np.int64)
        self._kept_positives = totals - self._held_positives
        self._excess = float(self._sizes[held].sum() - wanted)

    def keep_labels(self) -> None:
        """Move a group with each label that training lacks to training, the rarest label first."""
        lacking = np.flatnonzero(self._kept_positives == 0)
        for label in lacking[np.argsort(self._held_positives[lacking], kind="stable")]:
            groups = self._side(held=True)
            groups = groups[self._counts[groups, label] > 0]
            if self._kept_positives[label] == 0 and len(groups) > 0 and self.held.sum() > 1:
                self._move(groups[np.argmin(self._costs(groups))])

    def resize(self, bounds: tuple[float, float]) -> None:
        """Bring the size to what is wanted, or as near as groups allow, if it is out of bounds.

        A side that is empty gets a group. A label's last positives leave training only for the
        size, and only if nothing else can be moved.
        """
        if self._is_within(bounds):
            return
        while True:
            groups, is_last = self._movable()
            if len(groups) == 0 or (is_last and self._is_within(bounds)):
                return
            first, *others = groups[np.argsort(self._costs(groups), kind="stable")]
            self._move(first)
            for group in others[: math.ceil(AT_ONCE * abs(self._excess) / self._sizes.mean()) - 1]:
                # What was moved before it may have made it too large, or a label's last.
                if self._is_closer(group) and (is_last or not self._takes_last(group)):
                    self._move(group)

    def _side(self, *, held: bool) -> Numbers:
        groups: Numbers = self._order[self.held[self._order] == held]
        return groups

    def _movable(self) -> tuple[Numbers, bool]:
        """The groups that bring the size closer, and whether a label would be lost by any."""
        too_many = bool(self.held.all()) or (bool(self.held.any()) and self._excess > 0)
        groups = self._side(held=too_many)
        if len(groups) == 1:
            return groups[:0], False
        if len(groups) == len(self.held):  # The other side is empty: it gets what is smallest.
            groups = groups[self._sizes[groups] == self._sizes[groups].min()]
        else:
            groups = groups[self._is_closer(groups)]
        spared = groups if too_many else groups[~self._takes_last(groups)]
        chosen = spared if len(spared) > 0 else groups
        return chosen[:MAX_CANDIDATES], len(spared) == 0

    def _is_within(self, bounds: tuple[float, float]) -> bool:
        size = self._sizes[self.held].sum()
        both = bool(self.held.any()) and not bool(self.held.all())
        return both and bool(bounds[0] <= size <= bounds[1])

    def _is_closer(self, groups: Numbers) -> Mask:
        closer: Mask = self._sizes[groups] < 2 * abs(self._excess)
        return closer

    def _takes_last(self, groups: Numbers) -> Mask:
        """Whether training would lose a label with each group, if it were held out."""
        counts = self._counts[groups]
        lost: Mask = ((counts > 0) & (counts == self._kept_positives)).any(axis=-1)
        return lost & ~self.held[groups]

    def _costs(self, groups: Numbers) -> NDArray[np.float64]:
        """The costs of moving groups of one side, for each of their samples.

        The cost of a division is the sum over labels of (held - fair)^2 / all positives, where fair
        is what as many samples would have if all were alike.
        """
        sign = -1 if self.held[groups[0]] else 1
        sizes = self._sizes[groups]
        uneven = self._counts[groups] - sizes[:, None] * self._rates
        held = self._sizes[self.held].sum()
        off = self._scale * (self._held_positives - held * self._rates)
        costs: NDArray[np.float64] = (uneven**2 @ self._scale + 2 * sign * (uneven @ off)) / sizes
        return costs

    def _move(self, group: np.int64) -> None:
        sign = -1 if self.held[group] else 1
        counts = sign * self._counts[group].astype(np.int64)
        self._held_positives += counts
        self._kept_positives -= counts
        self._excess += sign * float(self._sizes[group])
        self.held[group] = sign > 0
