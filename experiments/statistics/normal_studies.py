"""Simulated studies, many at a time, of arms whose differences are all 0: all is known of them.

Arm k with seed s scores

    value[k, s] = run[k, s] + test[k],

of which the run's part is normal and the test set's, which the seeds of an arm share, is a mean
over the groups of test samples. A difference to the baseline has the variance 1, of which `share`
is the seeds'. What a study knows of it is D, b and sh, as `mmclf.studies.statistics.generalised`
calls them. The groups' variance is computed as it is: that of many resamples of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.statistics.generalised import p_value

Floats = NDArray[np.float64]

GROUPS = 800


@dataclass(frozen=True)
class Cell:
    """How a study is made: S seeds, m arms beside the baseline, and the seeds' share."""

    seeds: int
    arms: int
    share: float


@dataclass(frozen=True)
class Found:
    """Of many studies: the family-wise error at 5 %, and the coverage of an arm's own interval."""

    error: float
    coverage: float


def simulate(cell: Cell, studies: int, seed: int = 0) -> Found:
    """What the p-values say of studies in which no arm differs from the baseline."""
    value, between, shared = differences(cell, studies, np.random.default_rng([seed, cell.arms]))
    p = p_value(value, between, shared, cell.seeds, GROUPS)
    return Found(
        error=float((p.min(axis=1) < 0.05 / cell.arms).mean()), coverage=float((p >= 0.05).mean())
    )


def differences(
    cell: Cell, studies: int, chance: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """D, b and sh (studies, m) of each arm's difference to the baseline.

    The variance over normal samples is drawn as a whole, by Bartlett's decomposition of Wishart's
    distribution (1933, Proc. Royal Society of Edinburgh 53:260-283), the baseline being first.
    """
    arms, seeds = cell.arms, cell.seeds
    run_sd, test_sd = math.sqrt(cell.share * seeds / 2), math.sqrt((1 - cell.share) / 2)
    runs = run_sd * chance.standard_normal((studies, arms + 1, seeds))
    test = test_sd * chance.standard_normal((studies, arms + 1))
    paired = runs[:, 1:] - runs[:, :1]
    value = paired.mean(axis=2) + test[:, 1:] - test[:, :1]
    of_baseline = np.sqrt(chance.chisquare(GROUPS - 1, (studies, 1)))
    along = chance.standard_normal((studies, arms))
    squares = (along - of_baseline) ** 2 + chance.chisquare(GROUPS - 2, (studies, arms))
    return value, paired.var(axis=2, ddof=1) / seeds, test_sd**2 * squares / (GROUPS - 1)


def skewed_coverage(
    seeds: int, share: float, skewness: float, *, groups: int, studies: int, seed: int = 0
) -> float:
    """The coverage of an arm's own interval where the differences of samples are skewed.

    They are gamma variables of this skewness, 0 for the normal law. Their mean is skewed by
    skewness / sqrt(groups), and its estimated variance goes with it.
    """
    chance = np.random.default_rng([seed, seeds])
    if skewness:
        shape = 4 / skewness**2
        samples = (chance.gamma(shape, size=(studies, groups)) - shape) / math.sqrt(shape)
    else:
        samples = chance.standard_normal((studies, groups))
    samples *= math.sqrt((1 - share) * groups)
    runs = math.sqrt(share * seeds) * chance.standard_normal((studies, seeds))
    value = runs.mean(axis=1) + samples.mean(axis=1)
    between, shared = runs.var(axis=1, ddof=1) / seeds, samples.var(axis=1, ddof=1) / groups
    return float((p_value(value, between, shared, seeds, groups) >= 0.05).mean())
