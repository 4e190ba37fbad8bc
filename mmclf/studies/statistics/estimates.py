"""Estimates over seeds and test samples: what varies, how much, and so how sure a mean is.

A metric has a value for each of S seeds, all measured on the same N test samples. Both are random:
another seed gives another model, another draw of samples another score. This is a two-way layout
with random effects, values[s] = mean + seed[s] + samples + interaction[s], where the samples'
effect is shared by all seeds. It is that of radiology's studies of many readers and many cases
(Obuchowski & Rockette 1995, Communications in Statistics - Simulation 24:285-308; Hillis 2007,
Statistics in Medicine 26:596-619), seeds for readers and samples for cases. The variance of the
mean over seeds is

    var(seed) / S + var(interaction) / S + var(samples).

The variance between the seeds' values, over S, holds the first two. The third is the covariance
of two seeds' values over draws of the samples, which the bootstrap of samples gives: as the
resamples' variance holds var(samples) + var(interaction) for one seed and
var(samples) + var(interaction) / S for the mean, their difference tells the interaction apart.
Where samples belong together, as the captions of one image do, groups of them are what is drawn,
by the bootstrap and in the formulas: G groups stand in the place of N samples.
(Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1:386-411, on why resampling
seeds and samples at once would count the interaction more than once.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import InputError
from mmclf.studies.statistics.generalised import p_value, reach
from mmclf.studies.statistics.sample_variance import SampleVariance, sample_variance

Floats = NDArray[np.float64]

ALPHA = 0.05
# Of a contrast, lest what adds up to nothing is an effect of 1e-17.
DIGITS = 12


@dataclass(frozen=True)
class Estimate:
    """A metric, or a contrast of metrics, over seeds, and the variances of its mean.

    `value`: the mean over the seeds.
    `seeds`: how many, S.
    `between`: the variance of the mean that shrinks with more seeds, s² / S; nan for a single one.
    `shared`: the one that shrinks with more test samples, or draws, alone; 0 where nothing is
    resampled.
    `groups`: how many groups of test samples there are; None where nothing is resampled.
    `shared_freedom`: the degrees of freedom that `shared` is known by; `groups` - 1 unless given.
    """

    value: float
    seeds: int
    between: float
    shared: float
    groups: int | None = None
    shared_freedom: float | None = None

    @property
    def deviation(self) -> float:
        """The standard deviation over seeds; nan for a single one."""
        return math.sqrt(self.between * self.seeds)

    @property
    def standard_error(self) -> float:
        """Of the mean over seeds and samples; of a single seed over samples alone, or nan."""
        return math.nan if self._is_unknown else math.sqrt(self._known_between + self.shared)

    @property
    def seed_share(self) -> float:
        """The share of the variance that shrinks with more seeds; nan where only one is known."""
        if math.isnan(self.between) or self.groups is None:
            return math.nan
        return self.between / (self.between + self.shared) if self.standard_error else math.nan

    @cached_property
    def p(self) -> float:
        """Two-sided, of the hypothesis that the expectation is 0; nan where nothing is known."""
        return self.p_beyond(0.0)

    @property
    def low(self) -> float:
        """The lower end of its own 95 % interval."""
        return self.value - self._own_reach

    @property
    def high(self) -> float:
        """The upper end of its own 95 % interval."""
        return self.value + self._own_reach

    def p_beyond(self, expectation: float) -> float:
        """Two-sided p of the hypothesis that the expectation is this number."""
        if self._is_unknown:
            return math.nan
        distance = self.value - expectation
        return float(p_value(distance, *self._variances))

    def reach(self, alpha: float) -> float:
        """How far the 1 - `alpha` interval reaches to either side; nan where nothing is known."""
        if self._is_unknown:
            return math.nan
        return reach(*self._variances, alpha=alpha)

    @cached_property
    def _own_reach(self) -> float:
        return self.reach(ALPHA)

    @property
    def _variances(self) -> tuple[float, float, int, float | None]:
        """Both variances, and what they are known by: S seeds, and G groups."""
        return self._known_between, self.shared, self.seeds, self.known_by

    @property
    def known_by(self) -> float | None:
        """By how many groups `shared` is known, or by as good as so many."""
        return self.groups if self.shared_freedom is None else self.shared_freedom + 1

    @property
    def _known_between(self) -> float:
        return 0.0 if math.isnan(self.between) else self.between

    @property
    def _is_unknown(self) -> bool:
        """Whether neither variance is known: of a single seed, without resamples."""
        return math.isnan(self.between) and self.groups is None


def estimate(
    values: Floats, resampled: Floats, groups: int, draw_variance: float = 0.0, draws: int = 0
) -> Estimate:
    """The estimate from the values (S,) of S seeds, and those of each of B resamples (B, S).

    The values are those of a metric, or contrasts of metrics of runs with the same seed. The rest
    as of `estimate_of`. Raises also ValueError on shapes that do not match.
    """
    _check_seeds(values)
    if resampled.shape[1:] != values.shape or len(resampled) < 2:
        raise ValueError(
            f"resampled values {resampled.shape}: expected (B, {len(values)}), B 2 or more"
        )
    return estimate_of(values, sample_variance(resampled), groups, draw_variance, draws)


def estimate_of(
    values: Floats,
    by_samples: SampleVariance,
    groups: int,
    draw_variance: float = 0.0,
    draws: int = 0,
) -> Estimate:
    """The estimate from the values (S,) of S seeds, and how these vary over resamples.

    `groups` = G, how many groups of test samples there are (N samples where each is its own), of
    which each resample drew as many. With a single seed the interval is for this very seed: what
    another would give is not known.

    The variance is that between seeds over S, plus the mean covariance of two seeds over resamples
    (times G / (G - 1), as resamples vary that much less than samples), or plus 0 where this comes
    out negative. It has no other floor: with the resamples' variance of the mean as one, which
    holds the interaction too, intervals of 3 seeds cover up to 100 % where that is large.
    `draw_variance` is added to it: that of the mean over K = `draws` random draws, where the
    contrast is one. It is known with K - 1 degrees of freedom, and so both together with those of
    Satterthwaite (1946, Biometrics Bulletin 2:110-114): with 16 draws Student's t, and not the
    normal law, is what p-values far below 0.05 need.

    Raises ValueError on other numbers of seeds, or a variance of fewer than 2 draws; InputError on
    a single group of test samples.
    """
    _check_seeds(values)
    if by_samples.seeds != len(values):
        raise ValueError(f"variances of {by_samples.seeds} seeds: expected {len(values)}")
    if groups < 2:
        raise InputError(
            f"groups of test samples: found {groups}, expected 2 or more to tell how much they"
            " vary; make the test part larger"
        )
    value, between = _over_seeds(values)
    shared = max(by_samples.shared, 0.0) * groups / (groups - 1)
    if draw_variance == 0:
        return Estimate(value, len(values), between, shared, groups)
    if draws < 2:
        raise ValueError(f"draws: found {draws}, expected 2 or more for a variance between them")
    both = shared + draw_variance
    freedom = 1 / ((shared / both) ** 2 / (groups - 1) + (draw_variance / both) ** 2 / (draws - 1))
    return Estimate(value, len(values), between, both, groups, freedom)


def without_samples(values: Floats) -> Estimate:
    """The estimate from the values (S,) of S seeds alone, by Student's t.

    For what is not resampled, such as times: the interval is for these very test samples. With a
    single seed there is none, and its ends, its standard error and p are nan.
    """
    _check_seeds(values)
    value, between = _over_seeds(values)
    return Estimate(value, len(values), between, 0.0)


def _check_seeds(values: Floats) -> None:
    if values.ndim != 1 or not len(values):
        raise ValueError(f"values {values.shape}: expected (S,), a seed or more")


def _over_seeds(values: Floats) -> tuple[float, float]:
    """The mean of values (S,), and its variance by theirs; nan of a single one."""
    # From one of them on, so that equal values have no variance by rounding.
    distances = values - values[0]
    mean = float(values[0] + distances.mean())
    return mean, float(distances.var(ddof=1)) / len(values) if len(values) > 1 else math.nan
