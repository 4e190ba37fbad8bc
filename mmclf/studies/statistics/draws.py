"""How much random draws, or arms, vary beyond the noise of seeds and test samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.statistics.sample_variance import SampleVariance

Floats = NDArray[np.float64]


def draw_variance(values: Floats, by_samples: Sequence[SampleVariance], groups: int) -> float:
    """The variance of a mean over K random draws that other draws would have brought.

    The arguments as of `variances`. It is what these find beyond noise, not below 0, over K; 0 for
    a single draw.
    """
    whole, noise = variances(values, by_samples, groups)
    return max(whole - noise, 0.0) / len(values)


def variances(
    values: Floats, by_samples: Sequence[SampleVariance], groups: int
) -> tuple[float, float]:
    """The variance between the means of K draws, or arms, and what of it is the runs' own noise.

    `values` (K, S): of each draw and seed; `by_samples`: how each draw's distance to the mean over
    all K varies over resamples of G = `groups` groups of test samples. Both are 0 of a single draw.

    In the random-effects layout of draws, seeds and samples

        E[variance between draws] = var(draws) + var(draws x seeds) / S + var(draws x samples),

    the second by the residuals of a two-way layout of draws and seeds, the third by the covariance
    of two seeds over the resamples, each about its mean over draws. These two are the noise, which
    seeds and samples bring.

    Raises ValueError on other numbers of draws and seeds.
    """
    if values.ndim != 2 or [of.seeds for of in by_samples] != [values.shape[1]] * len(values):
        raise ValueError(
            f"values {values.shape} and variances of {[of.seeds for of in by_samples]} seeds:"
            " expected (K, S), and K variances of S seeds"
        )
    draws, seeds = (int(count) for count in values.shape)
    if draws < 2:
        return 0.0, 0.0
    about = values - values.mean(axis=0)
    whole = float((about.mean(axis=1) ** 2).sum()) / (draws - 1)
    by_seeds = 0.0
    if seeds > 1:
        residuals = about - about.mean(axis=1, keepdims=True)
        by_seeds = float((residuals**2).sum()) / ((draws - 1) * (seeds - 1) * seeds)
    shared = sum(of.shared for of in by_samples) / (draws - 1)
    return float(whole), float(by_seeds + max(shared, 0.0) * groups / (groups - 1))
