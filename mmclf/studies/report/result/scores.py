"""A metric of runs, and what they add up to on resamples, seed by seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.run_key import RunKey
from mmclf.studies.statistics.seed_sums import SeedSums, seed_sums

Floats = NDArray[np.float64]
Item = TypeVar("Item")
RUNS_AT_ONCE = 256  # whose scores on each resample are held, or those of one seed if it has more
# The scores (R,) of R runs, and those on B resamples (B, R).
ScoreRuns = Callable[[Sequence[RunKey]], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Scores:
    """A metric of runs on one and the same test samples.

    `values`: by run; `resampled`: what they add up to on resamples of the samples, over the seeds
    that have runs of the same arms; `groups`: how many groups of samples that belong together each
    resample drew from.
    """

    values: Mapping[RunKey, float] = field(default_factory=dict)
    resampled: Sequence[SeedSums] = ()
    groups: int = 0


def summed_scores(
    runs: Collection[RunKey], score_runs: ScoreRuns, groups: int, at_once: int = RUNS_AT_ONCE
) -> Scores:
    """The scores of runs, of which a single number is kept for each beside their sums.

    `score_runs` is asked for `at_once` runs at most; `groups` as in `Scores`.
    """
    values: dict[RunKey, float] = {}

    def resampled(arms: Sequence[str], seeds: Sequence[int]) -> Iterator[Floats]:
        for some_seeds in _pieces(seeds, max(1, RUNS_AT_ONCE // len(arms))):
            parts = []
            for keys in _pieces([RunKey(arm, of) for of in some_seeds for arm in arms], at_once):
                of_runs, part = score_runs(keys)
                values.update(zip(keys, of_runs.tolist(), strict=True))
                parts.append(part)
            scores = np.concatenate(parts, axis=1)
            yield scores.reshape(len(scores), len(some_seeds), len(arms))

    sums = [seed_sums(*of, resampled(*of)) for of in _complete(runs)]
    return Scores(values, sums, groups)


def _complete(runs: Collection[RunKey]) -> list[tuple[tuple[str, ...], list[int]]]:
    """Arms, and the seeds that have runs of these and no other arms; whatever the runs' order."""
    arms_of: dict[int, list[str]] = {}
    for key in sorted(runs, key=lambda key: (key.seed, key.arm)):
        arms_of.setdefault(key.seed, []).append(key.arm)
    seeds_of: dict[tuple[str, ...], list[int]] = {}
    for seed, arms in arms_of.items():
        seeds_of.setdefault(tuple(arms), []).append(seed)
    return list(seeds_of.items())


def _pieces(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
