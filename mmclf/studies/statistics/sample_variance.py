"""How much scores vary by the draw of the test samples, as resamples of these tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SampleVariance:
    """Variances over resamples, of a metric that has a value for each of S `seeds`.

    `of_mean`: of the mean over the seeds; `of_each`: of one seed alone, the mean over seeds.
    """

    of_mean: float
    of_each: float
    seeds: int

    @property
    def shared(self) -> float:
        """The mean covariance of two seeds, which may be below 0; of a single seed, its variance.

        From the variances: that of the mean is (sum of variances + sum of covariances) / S².
        """
        if self.seeds == 1:
            return self.of_mean
        return self.of_mean - (self.of_each - self.of_mean) / (self.seeds - 1)


def sample_variance(resampled: Floats) -> SampleVariance:
    """The variances of what each of S seeds has on each of B resamples (B, S)."""
    distances = resampled - resampled[0]
    of_mean = float(distances.mean(axis=1).var(ddof=1))
    of_each = float(distances.var(axis=0, ddof=1).mean())
    return SampleVariance(of_mean, of_each, int(resampled.shape[1]))
