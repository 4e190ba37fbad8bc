"""What a design would show: the smallest difference, its floor, and what decides an open one.

The power of a design is the chance that it shows a difference that is there. With S seeds, a
standard deviation of `seed_sd` between their paired differences, and one of `sample_sd` that the
draw of the test samples brings to all of them alike, the mean over seeds is normal with variance
seed_sd² / S + sample_sd². The first part is estimated from S values, by a chi-squared variable with
S - 1 degrees of freedom that is independent of the mean, and an interval reaches as far as this
estimate makes it: the power is the expectation over it, to which numerical integration brings the
only error. More seeds do not lower sample_sd: it is the floor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr, ndtri

from mmclf.studies.statistics.estimates import ALPHA
from mmclf.studies.statistics.generalised import reach
from mmclf.studies.statistics.verdicts import EQUAL_ALPHA, Difference

Floats = NDArray[np.float64]

POWER = 0.8
MOST_SEEDS, MOST_SAMPLES = 100, 100.0  # that are worth a thought: seeds, times the test samples
SEEDS_WITH_SAMPLES = 20  # beside more test samples
NODES, FEW_NODES = 40, 12  # of the integral over the estimated variance: to 1e-5, and 1e-3
MANY_GROUPS = 300  # from which on the samples' variance is taken as known


def smallest_shown(
    seed_sd: float, sample_sd: float, seeds: int, comparisons: int, power: float = POWER
) -> float:
    """The smallest true difference that is shown, better or worse as it is, with this power.

    `seed_sd`: the standard deviation over seeds of a paired difference; `sample_sd`: that of the
    mean over seeds which the draw of the test samples brings; the result is in their unit.
    `comparisons`: how many differences are compared together. Raises ValueError for fewer than 2
    seeds, of which nothing is ever shown.
    """
    if seeds < 2:
        raise ValueError(f"seeds: found {seeds}, expected 2 or more")
    between, shared = seed_sd**2 / seeds, sample_sd**2
    deviation = math.sqrt(between + shared)
    if deviation == 0:
        return 0.0
    estimated, weights = _estimated(between, seeds, NODES)
    reaches = _reaches(estimated, shared, seeds, None, ALPHA / comparisons)

    def lack(difference: float) -> float:
        return float(weights @ ndtr((difference - reaches) / deviation)) - power

    most = float(reaches.max()) + deviation * max(float(ndtri(power)), 0.0)
    return float(brentq(lack, 0.0, most + deviation))


def smallest_with_any_seeds(sample_sd: float, comparisons: int) -> float:
    """The floor: the smallest true difference shown with 80 % however many seeds there are.

    In the unit of `sample_sd`, which only more test samples lower.
    """
    return sample_sd * (-float(ndtri(ALPHA / comparisons / 2)) + float(ndtri(POWER)))


def can_show_equal(sample_sd: float, margin: float) -> bool:
    """Whether any number of seeds could show that a difference is within the margin.

    Where even the draw of the test samples makes the 90 % interval as wide as the margin, none can.
    """
    return -float(ndtri(EQUAL_ALPHA / 2)) * sample_sd < margin


def samples_to_show_equal(sample_sd: float, margin: float, samples: int) -> int:
    """How many test samples show with 80 % that no difference is none, if seeds abound.

    `sample_sd`: what the draw of these `samples` brings, which shrinks with their square root.
    """
    reaches = -float(ndtri(EQUAL_ALPHA / 2)) + float(ndtri((1 + POWER) / 2))
    return math.ceil(samples * (reaches * sample_sd / margin) ** 2)


@dataclass(frozen=True)
class Decider:
    """What would decide a difference with 80 %, were the truth what has been estimated.

    `seeds`: so many in all, on the same test samples; None where 100 are not enough. Then
    `samples_factor`: so many times the test samples, with `samples_seeds` seeds; None where 100
    times are not enough, either. `is_known`: False of a single seed, which says nothing of others.
    `of_draws`: of a mean over random draws, where nobody knows what more of them would bring.
    """

    seeds: int | None
    samples_factor: float | None = None
    samples_seeds: int | None = None
    is_known: bool = True
    of_draws: bool = False

    def words(self) -> str:
        """As `12 seeds would decide it`."""
        if not self.is_known:
            return "one seed cannot decide it, nor tell how many would"
        if self.seeds is not None:
            return f"{self.seeds} seeds would decide it"
        if self.samples_factor is not None:
            factor = math.ceil(self.samples_factor * 10) / 10
            return (
                f"{factor:g} times the test samples, with {self.samples_seeds} seeds, would decide "
                "it; more seeds alone would not"
            )
        if self.of_draws:
            return f"{MOST_SEEDS} seeds would not decide it; other random draws may"
        return f"neither {MOST_SEEDS} seeds nor {MOST_SAMPLES:g} times the test samples decide it"


def what_decides(difference: Difference) -> Decider:
    """What would decide an undecided difference, if the truth is what has been estimated.

    Decided is what is shown to be better, worse or equal. Of differences that were picked because
    they are large, the truth tends to be smaller. Raises ValueError if it is decided already.
    """
    if difference.verdict != "undecided":
        raise ValueError(f"verdict: found {difference.verdict!r}, expected 'undecided'")
    of = difference.estimate
    if math.isnan(of.between):
        return Decider(None, is_known=False)
    variance = of.between * of.seeds
    groups = of.groups if of.shared_freedom is None else of.shared_freedom + 1

    def lacks_with(seeds: int) -> bool:
        return _power(difference, variance / seeds, of.shared, seeds, groups) < POWER

    if of.seeds < MOST_SEEDS and not lacks_with(MOST_SEEDS):
        return Decider(_first_without(lacks_with, of.seeds, MOST_SEEDS))
    if of.shared_freedom is not None:
        return Decider(None, of_draws=True)
    seeds = max(of.seeds, SEEDS_WITH_SAMPLES)

    def excess(log_factor: float) -> float:
        factor = math.exp(log_factor)
        more = None if groups is None else groups * factor
        return _power(difference, variance / seeds, of.shared / factor, seeds, more) - POWER

    ends = 0.0, math.log(MOST_SAMPLES)
    if excess(ends[0]) >= 0 or excess(ends[1]) < 0:
        return Decider(None)
    return Decider(None, math.exp(float(brentq(excess, *ends, xtol=1e-2))), seeds)


def _first_without(lacks: Callable[[int], bool], low: int, high: int) -> int:
    """The first number after `low` that does not lack, where `high` does not."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if lacks(middle) else (low, middle)
    return high


def _power(
    difference: Difference, between: float, shared: float, seeds: int, groups: float | None
) -> float:
    """The chance of better, worse or equal, of a truth as estimated and variances of its mean."""
    value, margin = abs(difference.estimate.value), difference.margin
    deviation = math.sqrt(between + shared)
    if deviation == 0:
        return float(value > 0 or margin > 0)
    estimated, weights = _estimated(between, seeds, FEW_NODES)
    shown = _reaches(estimated, shared, seeds, groups, ALPHA / difference.comparisons)
    within = margin - _reaches(estimated, shared, seeds, groups, EQUAL_ALPHA)
    equal = np.clip(within, 0.0, shown)
    chance = (
        ndtr((value - shown) / deviation)
        + ndtr((-value - shown) / deviation)
        + ndtr((equal - value) / deviation)
        - ndtr((-equal - value) / deviation)
    )
    return float(weights @ chance)


def _estimated(between: float, seeds: int, count: int) -> tuple[Floats, Floats]:
    """What a variance of the mean is estimated as from so many seeds (K,), and how often (K,)."""
    if between == 0:
        return np.zeros(1), np.ones(1)
    nodes, weights = np.polynomial.legendre.leggauss(count)
    quantiles = chdtri(seeds - 1, (1 - nodes) / 2)
    return between * quantiles / (seeds - 1), weights / 2


def _reaches(
    between: Floats, shared: float, seeds: int, groups: float | None, alpha: float
) -> Floats:
    """How far the interval reaches with each estimate (K,) of the seeds' variance."""
    counted_groups = groups if groups is not None and groups < MANY_GROUPS else None
    return np.array(
        [reach(float(of), shared, seeds, counted_groups, alpha=alpha) for of in between]
    )
