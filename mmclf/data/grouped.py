"""Samples by their groups: how many each group has, in all and of each label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Grouped:
    """N samples of G groups.

    Args:
        counts: (G, L) samples of the group with the label.
        sizes: (G,) samples of the group.
        group_of: (N,) the group of each sample, between 0 and G - 1.

    """

    counts: NDArray[Any]
    sizes: Numbers
    group_of: Numbers

    @staticmethod
    def of(labels: NDArray[np.uint8], groups: Numbers | None = None) -> Grouped:
        """Sum the labels (N, L) by `groups` (N,) of any numbers; None: each sample is its own."""
        if groups is not None:
            _, group_of = np.unique(groups, return_inverse=True)
            sizes = np.bincount(group_of)
            if len(sizes) < len(labels):
                order = np.argsort(group_of, kind="stable")
                starts = np.cumsum(sizes) - sizes
                counts = np.add.reduceat(labels[order], starts, axis=0, dtype=np.int32)
                return Grouped(counts, sizes, group_of)
        numbers = np.arange(len(labels))
        return Grouped(labels, np.ones_like(numbers), numbers)

    def __len__(self) -> int:
        """The number of groups G."""
        return len(self.sizes)

    def __getitem__(self, groups: Numbers | Mask) -> Grouped:
        """Some of the groups, with their samples left out of `group_of`."""
        return Grouped(self.counts[groups], self.sizes[groups], np.empty(0, dtype=np.int64))

    def rows(self, groups: Numbers) -> Numbers:
        """The samples of some groups, ascending."""
        chosen = np.zeros(len(self), dtype=np.bool_)
        chosen[groups] = True
        return np.flatnonzero(chosen[self.group_of])
