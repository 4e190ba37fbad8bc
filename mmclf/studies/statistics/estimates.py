"""Estimates over seeds and test samples: intervals, p-values, and these for many at once.

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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, stdtr, stdtrit

from mmclf.errors import InputError

Floats = NDArray[np.float64]

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A metric, or a contrast of metrics, over seeds, and how sure it is.

    `value`: the mean over seeds.
    `low`, `high`: the 95 % interval of its expectation over seeds and samples.
    `deviation`: the standard deviation over seeds; nan for a single one.
    `seeds`: how many.
    `standard_error`, `freedom`: of `value`, and with how many degrees of freedom it is known.
    `p`: two-sided, of the hypothesis that the expectation is 0.
    `seed_share`: the share of `standard_error`² that shrinks with more seeds; the rest shrinks
    with more test samples, or draws, alone. nan where only one of both is known.
    """

    value: float
    low: float
    high: float
    deviation: float
    seeds: int
    standard_error: float
    freedom: float
    p: float
    seed_share: float

    @property
    def holds_zero(self) -> bool:
        """Whether 0 may be the expectation: within the interval, or there is none."""
        return not (self.low > 0 or self.high < 0)


def estimate(
    values: Floats, resampled: Floats, groups: int, draws: Floats | None = None
) -> Estimate:
    """The estimate from the values (S,) of S seeds, and those of each of B resamples (B, S).

    `groups` = G, how many groups of test samples there are (N samples where each is its own), of
    which each resample drew as many. The values are those of a metric, or contrasts of metrics of
    runs with the same seed. With a single seed the interval is for this very seed: what another
    would give is not known.

    The variance is that between seeds over S, plus the mean covariance of two seeds over resamples
    (times G / (G - 1), as resamples vary that much less than samples), or plus 0 where this comes
    out negative. It has no other floor: with the resamples' variance of the mean as one, which
    holds the interaction too, intervals of 3 seeds cover up to 100 % where that is large. `draws`
    (K,), the value by each of the K random draws that the contrast is the mean of, adds their
    variance over K: other draws would have given another mean.

    Raises ValueError on shapes that do not match, InputError on a single group of test samples.
    """
    _check_seeds(values)
    if resampled.shape[1:] != values.shape or len(resampled) < 2:
        raise ValueError(
            f"resampled values {resampled.shape}: expected (B, {len(values)}), B 2 or more"
        )
    if groups < 2:
        raise InputError(
            f"groups of test samples: found {groups}, expected 2 or more to tell how much they"
            " vary; make the test part larger"
        )
    value, between = _over_seeds(values)
    shared = _sample_variance(resampled) * groups / (groups - 1)
    drawn = 0.0 if draws is None or len(draws) < 2 else float(draws.var(ddof=1)) / len(draws)
    seeds, variance = len(values), between + shared + drawn
    others = [(shared, groups - 1)]
    if draws is not None and drawn:
        others.append((drawn, len(draws) - 1))
    return _estimate(
        value,
        math.sqrt(variance),
        _freedom(between, seeds, others),
        deviation=math.sqrt(between * seeds) if seeds > 1 else math.nan,
        seeds=seeds,
        seed_share=between / variance if seeds > 1 and variance else math.nan,
    )


def without_samples(values: Floats) -> Estimate:
    """The estimate from the values (S,) of S seeds alone, by Student's t.

    For what is not resampled, such as times: the interval is for these very test samples. With a
    single seed there is none, and its ends, its standard error and p are nan.
    """
    _check_seeds(values)
    value, between = _over_seeds(values)
    seeds = len(values)
    error = math.sqrt(between) if seeds > 1 else math.nan
    return _estimate(
        value,
        error,
        float(seeds - 1),
        deviation=error * math.sqrt(seeds),
        seeds=seeds,
        seed_share=math.nan,
    )


def holm(p: Sequence[float]) -> list[float]:
    """The p-values, adjusted for being so many (Holm 1979, Scandinavian J. of Statistics 6:65-70).

    To call those below 5 % effects is wrong about any of them in at most 5 % of studies. A nan
    stays one and counts for nothing.
    """
    given = np.asarray(p, dtype=np.float64)
    known = ~np.isnan(given)
    if known.any():
        # Slow to import.
        from statsmodels.stats.multitest import multipletests

        given[known] = multipletests(given[known], method="holm")[1]
    return [float(one) for one in given]


def _check_seeds(values: Floats) -> None:
    if values.ndim != 1 or not len(values):
        raise ValueError(f"values {values.shape}: expected (S,), a seed or more")


def _over_seeds(values: Floats) -> tuple[float, float]:
    """The mean of values (S,), and its variance by theirs; 0 of a single one."""
    # From one of them on, so that equal values have no variance by rounding.
    distances = values - values[0]
    mean = float(values[0] + distances.mean())
    return mean, float(distances.var(ddof=1)) / len(values) if len(values) > 1 else 0.0


def _sample_variance(resampled: Floats) -> float:
    """The mean covariance of two seeds over resamples (B, S), not below 0; of one, its variance.

    From the variances: that of the mean is (sum of variances + sum of covariances) / S².
    """
    distances = resampled - resampled[0]
    of_mean = float(distances.mean(axis=1).var(ddof=1))
    seeds = resampled.shape[1]
    if seeds == 1:
        return of_mean
    interaction = (float(distances.var(axis=0, ddof=1).mean()) - of_mean) / (seeds - 1)
    return max(float(of_mean - interaction), 0.0)


def _freedom(between: float, seeds: int, others: Sequence[tuple[float, int]]) -> float:
    """The degrees of freedom of a sum of variances (Satterthwaite 1946, Biometrics 2:110-114).

    `between` the seeds, and `others`, each with its own degrees of freedom: the first is that of
    the groups of test samples, `shared`, with G - 1.

    Of so few seeds the variance is often far too small, and Satterthwaite's degrees of freedom,
    (between + shared)² / (between² / (S - 1) + shared² / (G - 1)), are then too many: intervals
    of 3 seeds would cover 92 % where seeds make up nine tenths of the variance, of 2 seeds 87 %.
    So the seeds' part enters at the upper limit of its one-sided 70 % interval, with which they
    cover 94 to 96 %, of 2 seeds 93 to 97 %. With one part alone both ways give its own S - 1 or
    G - 1.
    """
    parts = [(variance, freedom) for variance, freedom in others if variance]
    if seeds > 1 and between:
        parts.append((between * (seeds - 1) / float(chdtri(seeds - 1, 0.7)), seeds - 1))
    if not parts:
        return float(others[0][1])
    whole = sum(variance for variance, _ in parts)
    return 1 / sum((variance / whole) ** 2 / freedom for variance, freedom in parts)


def _estimate(
    value: float, error: float, freedom: float, *, deviation: float, seeds: int, seed_share: float
) -> Estimate:
    """The interval and the p of Student's t."""
    if error == 0:
        reach, p = 0.0, float(value == 0)
    elif math.isnan(error):
        reach = p = math.nan
    else:
        reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
        p = 2 * float(stdtr(freedom, -abs(value / error)))
    return Estimate(
        value=value,
        low=value - reach,
        high=value + reach,
        deviation=deviation,
        seeds=seeds,
        standard_error=error,
        freedom=freedom,
        p=p,
        seed_share=seed_share,
    )
