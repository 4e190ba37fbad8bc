"""Permutation: each sample gets the values of another group, so that modalities are unpaired."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mmclf.data.samples import Samples

SEED = 0  # of the permutation of captions, the same for every run


def derangement(groups: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """A random permutation of the rows that gives each one of another group, where there is one.

    The groups are put in random order, then all rows shifted cyclically by a random number, at
    least the largest group's size. If that group has more than half of the rows, as many of them as
    possible get one of another group.

    Args:
        groups: (N,) numbers of the groups.
        generator: of the order and of the shift.

    """
    order = generator.permutation(len(groups))
    _, first, group_of, sizes = np.unique(
        groups[order], return_index=True, return_inverse=True, return_counts=True
    )
    order = order[np.argsort(first[group_of], kind="stable")]
    shift = 0
    if len(sizes) > 1:
        low, high = sorted((sizes.max(), len(groups) - sizes.max()))
        shift = generator.integers(low, high + 1)
    permutation = np.empty(len(groups), dtype=np.int64)
    permutation[order] = np.roll(order, shift)
    return permutation


def with_shuffled_captions(samples: Samples) -> Samples:
    """The samples, each with the caption of one of another group.

    Captions are permuted separately within the source's own validation set, its own test set, and
    the remaining samples, so that none moves between training and test.
    """
    generator = np.random.default_rng(SEED)
    sources, groups = np.arange(len(samples)), samples.group_numbers
    for part in (~samples.own_val & ~samples.own_test, samples.own_val, samples.own_test):
        rows = np.flatnonzero(part)
        sources[rows] = rows[derangement(groups[rows], generator)]
    others = samples.other_captions
    return replace(
        samples,
        captions=tuple(samples.captions[row] for row in sources),
        other_captions=tuple(others[row] for row in sources) if others else (),
    )
