"""Resamples of the test samples, or of groups of them: how often each sample is in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Groups = NDArray[Any]


@dataclass(frozen=True)
class Resamples:
    """B = `count` resamples of N samples, decided by `seed`; `resamples_of` makes them.

    `group_of` (N,): the group of each sample, numbered in the order in which they appear.
    `sizes` (G,): how many samples are in each.
    """

    count: int
    seed: int
    group_of: NDArray[np.intp]
    sizes: NDArray[np.intp]

    @property
    def most(self) -> int:
        """No resample has more samples than so many."""
        return len(self.sizes) * int(self.sizes.max())

    def blocks(self, rows: int, dtype: DTypeLike) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Which resamples, `rows` at most, and how often each sample is in each of them (b, N)."""
        chance = np.random.default_rng(self.seed)
        groups = len(self.sizes)
        for start in range(0, self.count, rows):
            block = slice(start, min(start + rows, self.count))
            drawn = np.empty((block.stop - start, len(self.group_of)), dtype)
            for times in drawn:
                of_groups = chance.integers(groups, size=groups)
                times[:] = np.bincount(of_groups, minlength=groups)[self.group_of]
            yield block, drawn


def resamples_of(samples: int, groups: Groups | None, *, count: int, seed: int) -> Resamples:
    """So many resamples of N = `samples` samples, in groups (N,) that belong together, or alone.

    A resample is G of the G groups, drawn with replacement and each with all its samples (Efron &
    Tibshirani 1993, An Introduction to the Bootstrap; of groups: Davison & Hinkley 1997, Bootstrap
    Methods and their Application, section 3.8): `integers(G, size=G)` of numpy's
    `default_rng(seed)`, B times in a row, groups in the order in which they appear.

    Raises ValueError unless there is a group for each sample.
    """
    if groups is None:
        return Resamples(count, seed, np.arange(samples), np.ones(samples, dtype=np.intp))
    if groups.shape != (samples,):
        raise ValueError(f"groups {groups.shape}: expected ({samples},), one for each sample")
    _, first, of_sorted, sizes = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    order = first.argsort()
    return Resamples(count, seed, order.argsort()[of_sorted], sizes[order])
