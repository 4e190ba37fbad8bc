"""Simulated studies that stop when decided: paired differences to a common baseline, many at once.

The difference of arm i with seed s is delta[i] + seeds' noise + the test draw's, of which the
baseline has a share in common for all arms; the variance that the test draw brings is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.statistics.spending import looks
from mmclf.studies.statistics.stopping import (
    Calls,
    Seen,
    StoppingRule,
    decide,
    stopped_reach,
)

Floats = NDArray[np.float64]

# In F1 points: standard deviations of a paired difference over seeds, and over test draws.
KINDS = {
    "hyperparameters": (0.40, 0.08),
    "heads and losses": (0.35, 0.20),
    "encoders": (0.35, 0.40),
}
MARGIN = 0.5
# The share of the variances that the baseline brings to all differences.
COMMON = 0.5


@dataclass(frozen=True)
class Studies:
    """R studies of m arms and n seeds: differences (R, m, n), and the test draw's variance."""

    truth: Floats
    differences: Floats
    shared: float

    @property
    def most(self) -> int:
        return int(self.differences.shape[-1])

    def seen(self, seeds: int) -> Seen:
        """The first seeds of each."""
        first = self.differences[..., :seeds]
        shared = np.full(first.shape[:-1], self.shared)
        return Seen(first.mean(axis=-1), first.var(axis=-1, ddof=1) / seeds, shared)


@dataclass(frozen=True)
class Stopped:
    """What came of studies: the calls (R, m), and after how many seeds (R, m) each was made."""

    calls: Calls
    seeds: NDArray[np.int64]

    def runs_share(self, most: int) -> float:
        """The runs, those of the baseline too, as a share of those of all seeds."""
        runs = self.seeds.sum(axis=-1) + self.seeds.max(axis=-1)
        return float(runs.mean() / (most * (self.seeds.shape[-1] + 1)))


def draw(
    truth: Floats, most: int, deviations: tuple[float, float], chance: np.random.Generator
) -> Studies:
    """Studies of true differences (R, m), by the deviations over seeds and over test draws."""
    many, arms = truth.shape
    over_seeds, over_draws = deviations

    def noise(deviation: float, size: int) -> Floats:
        own = (1 - COMMON) ** 0.5 * chance.standard_normal((many, arms, size))
        common = COMMON**0.5 * chance.standard_normal((many, 1, size))
        both: Floats = deviation * (own + common)
        return both

    differences = truth[..., None] + noise(over_seeds, most) + noise(over_draws, 1)
    return Studies(truth, differences, over_draws**2)


def stop(studies: Studies, margin: float = MARGIN) -> Stopped:
    """The studies, each arm until it is decided, hopeless, or at the last look."""
    arms = studies.truth.shape[-1]
    rule = StoppingRule(looks(studies.most), arms, margin)
    calls = np.full(studies.truth.shape, "open", dtype="<U6")
    seeds = np.zeros(calls.shape, dtype=np.int64)
    for look in rule.looks:
        seeds[calls == "open"] = look
        calls = decide(rule, look, studies.seen(look), calls)
    return Stopped(calls, seeds)


def fixed(studies: Studies, margin: float = MARGIN) -> Calls:
    """What a look at all seeds alone says of the same studies."""
    seen, most, arms = studies.seen(studies.most), studies.most, studies.truth.shape[-1]
    calls = np.full(studies.truth.shape, "open", dtype="<U6")
    everywhere = np.ones(calls.shape, dtype=bool)
    inside = margin - np.abs(seen.value)
    p = seen.p(most, inside, inside > 0)
    calls[p <= 0.1] = "equal"
    different = seen.p(most, np.abs(seen.value), everywhere) <= 0.05 / arms
    calls[different] = np.where(seen.value > 0, "better", "worse")[different]
    return calls


def same(calls: Calls, others: Calls) -> float:
    """The share of equal verdicts, all that is not decided being one."""
    return float(np.mean(_decided(calls) == _decided(others)))


def _decided(calls: Calls) -> Calls:
    return np.where(calls == "futile", "open", calls)


def covered(studies: Studies, stopped: Stopped) -> dict[float, float]:
    """Of the arms whose true difference is of this size, the share whose interval holds it."""
    inside = np.zeros(studies.truth.shape, dtype=bool)
    for seeds in np.unique(stopped.seeds).tolist():
        seen, ended = studies.seen(seeds), stopped.seeds == seeds
        reach = stopped_reach(seen.between, seen.shared, seeds)
        inside[ended] = (np.abs(seen.value - studies.truth) <= reach)[ended]
    sizes = np.abs(studies.truth)
    return {size: float(inside[sizes == size].mean()) for size in np.unique(sizes).tolist()}
