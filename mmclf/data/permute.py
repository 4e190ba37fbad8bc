"""Permutation: every sample gets the values of another one, so that modalities are unpaired."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mmclf.data.samples import Samples

SEED = 0  # of the permutation of captions, the same for every run


def derangement(count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """A random permutation of `count` rows that leaves none in place, unless `count` is 1.

    The rows are put in random order, then shifted cyclically by a random number.
    """
    order = generator.permutation(count)
    permutation = np.empty(count, dtype=np.int64)
    permutation[order] = np.roll(order, generator.integers(1, count) if count > 1 else 0)
    return permutation


def with_shuffled_captions(samples: Samples) -> Samples:
    """The samples, each with the caption of another one.

    Captions are permuted separately within the source's own validation set, its own test set, and
    the remaining samples, so that none moves between training and test.
    """
    generator = np.random.default_rng(SEED)
    sources = np.arange(len(samples))
    for part in (~samples.own_val & ~samples.own_test, samples.own_val, samples.own_test):
        rows = np.flatnonzero(part)
        sources[rows] = rows[derangement(len(rows), generator)]
    others = samples.other_captions
    return replace(
        samples,
        captions=tuple(samples.captions[row] for row in sources),
        other_captions=tuple(others[row] for row in sources) if others else (),
    )
