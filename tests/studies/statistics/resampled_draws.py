"""How the distances of draws, or arms, to their mean vary over resamples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.statistics.sample_variance import SampleVariance, sample_variance


def about_mean(resampled: NDArray[np.float64]) -> list[SampleVariance]:
    """Of each of K draws, by resampled values (B, K, S)."""
    distances = resampled - resampled.mean(axis=1, keepdims=True)
    return [sample_variance(distances[:, draw]) for draw in range(resampled.shape[1])]
