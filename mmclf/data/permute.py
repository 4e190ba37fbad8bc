"""Shuffling: every sample gets what another one has, so that the values stay and pairs do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mmclf.data.samples import Samples

SEED = 0  # of the order of captions, the same for every run


def derangement(count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """For each of `count` rows another one, each once; a single row has but itself.

    The rows stand in a circle in an order drawn at random, and each takes that of the row some
    places on, as many for all of them and drawn at random too.
    """
    order = generator.permutation(count)
    found = np.empty(count, dtype=np.int64)
    found[order] = np.roll(order, generator.integers(1, count) if count > 1 else 0)
    return found


def with_shuffled_captions(samples: Samples) -> Samples:
    """The samples, each with the caption of another one.

    Captions stay among those that the source keeps for validation, among those that it keeps for
    the test, and among the rest: nothing moves between training and the source's own test.
    """
    generator = np.random.default_rng(SEED)
    rows_of = np.arange(len(samples))
    for part in (~samples.own_val & ~samples.own_test, samples.own_val, samples.own_test):
        rows = np.flatnonzero(part)
        rows_of[rows] = rows[derangement(len(rows), generator)]
    return replace(samples, captions=tuple(samples.captions[row] for row in rows_of))
