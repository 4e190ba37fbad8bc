"""Scores of arms on resamples, summed over seeds: what contrasts of arms need of very many runs.

The variance over resamples of a contrast's mean over seeds is that of a weighted sum of the arms'
sums over seeds. The mean over seeds of its variances is a quadratic form of the arms' covariances,
summed over seeds. So of each further seed nothing is kept, but where it has scores of other arms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.statistics.estimates import DIGITS
from mmclf.studies.statistics.sample_variance import SampleVariance

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SeedSums:
    """What the scores of A arms on B resamples add up to, over `seeds` that each have all of them.

    `totals` (B, A): the sums over seeds; `covariances` (A, A): of the arms over resamples, likewise
    summed.
    """

    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    totals: Floats
    covariances: Floats


def seed_sums(arms: Sequence[str], seeds: Sequence[int], blocks: Iterable[Floats]) -> SeedSums:
    """The sums of `blocks` (B, s, A), each of which has the scores of the next s seeds.

    Raises ValueError unless they are of so many seeds and arms, and of 2 resamples at least.
    """
    width, count = len(arms), 0
    totals, covariances = np.zeros(1), np.zeros((width, width))
    for block in blocks:
        if block.ndim != 3 or block.shape[2] != width or len(block) < 2:
            raise ValueError(f"resampled scores {block.shape}: expected (B, s, {width}), B > 1")
        count += block.shape[1]
        # Seed by seed, in one order of memory, and by no matrix product, whose sums differ with the
        # number of threads: the same bits however the seeds are divided.
        for of_seed in np.ascontiguousarray(np.moveaxis(block, 1, 0)):
            totals = totals + of_seed
            about_mean = of_seed - of_seed.mean(axis=0)
            covariances += np.einsum("ba,bc->ac", about_mean, about_mean) / (len(block) - 1)
    if count != len(seeds):
        raise ValueError(f"resampled scores of {count} seeds: expected {len(seeds)}")
    return SeedSums(tuple(arms), tuple(seeds), totals, covariances)


def contrast_variance(
    sums: Sequence[SeedSums], weights: Mapping[str, float], seeds: Collection[int]
) -> SampleVariance:
    """The variances of the weighted sum of arms' scores over these seeds.

    Raises ValueError unless each of the seeds is in `sums`, with all that have the same arms, and
    has all arms that are weighted.
    """
    some = [of for of in sums if set(of.seeds) <= set(seeds) and weights.keys() <= {*of.arms}]
    count = sum(len(of.seeds) for of in some)
    if count == 0 or count != len(seeds):
        raise ValueError(f"sums over {count} of {len(seeds)} seeds: expected all of them, or more")
    means, of_each = np.zeros(1), 0.0
    for of in some:
        row = np.array([weights.get(arm, 0.0) for arm in of.arms])
        means = means + of.totals @ row / count
        of_each += float(row @ of.covariances @ row) / count
    of_mean = float(means.round(DIGITS).var(ddof=1))
    # The one is never larger, but where both are nothing but rounding.
    return SampleVariance(of_mean, max(of_each, of_mean), count)
