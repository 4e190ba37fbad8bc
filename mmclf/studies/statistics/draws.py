"""How much random draws, or arms, vary beyond the noise of seeds and test samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def draw_variance(values: Floats, resampled: Floats, groups: int) -> float:
    """The variance of a mean over K random draws that other draws would have brought.

    `values` (K, S): of each draw and seed; `resampled` (B, K, S): the same on each of B resamples
    of G = `groups` groups of test samples. It is what `variances` finds beyond noise, not below 0,
    over K; 0 for a single draw. Raises ValueError on shapes that do not match.
    """
    whole, noise = variances(values, resampled, groups)
    return max(whole - noise, 0.0) / len(values)


def variances(values: Floats, resampled: Floats, groups: int) -> tuple[float, float]:
    """The variance between the means of K draws, or arms, and what of it is the runs' own noise.

    `values` (K, S): of each draw and seed; `resampled` (B, K, S): the same on each of B resamples
    of G = `groups` groups of test samples. Both are 0 of a single draw.

    In the random-effects layout of draws, seeds and samples

        E[variance between draws] = var(draws) + var(draws x seeds) / S + var(draws x samples),

    the second by the residuals of a two-way layout of draws and seeds, the third by the covariance
    of two seeds over the resamples, each about its mean over draws. These two are the noise, which
    seeds and samples bring.

    Raises ValueError on shapes that do not match.
    """
    if values.ndim != 2 or resampled.shape[1:] != values.shape:
        raise ValueError(
            f"values {values.shape} and resampled values {resampled.shape}: expected (K, S) and"
            " (B, K, S)"
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
    by_samples = _shared(resampled - resampled.mean(axis=1, keepdims=True)) / (draws - 1)
    return float(whole), float(by_seeds + max(by_samples, 0.0) * groups / (groups - 1))


def _shared(distances: Floats) -> float:
    """The sum over draws of the mean covariance of two seeds (B, K, S); of one, of its variance."""
    of_means = float(distances.mean(axis=2).var(axis=0, ddof=1).sum())
    seeds = int(distances.shape[2])
    if seeds == 1:
        return of_means
    of_each = float(distances.var(axis=0, ddof=1).mean(axis=1).sum())
    return of_means - (of_each - of_means) / (seeds - 1)
