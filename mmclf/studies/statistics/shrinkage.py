"""How much of the arms' differences is left once allowed for choosing the best of many.

The best of m arms is in part the luckiest one. If the arms' true means vary about a common one with
variance τ², and their estimates about them with variance v, then what is to be expected of an arm
is its distance to the common mean times τ² / (τ² + v), whichever of them was chosen (Efron & Morris
1975, Data analysis using Stein's estimator, J. American Statistical Association 70:311-319).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.statistics.draws import variances
from mmclf.studies.statistics.sample_variance import SampleVariance

Floats = NDArray[np.float64]

FEWEST_ARMS = 4  # fewer do not tell how much arms vary: James and Stein's factor is 1


def kept_share(values: Floats, by_samples: Sequence[SampleVariance], groups: int) -> float:
    """The share of the arms' distances to their mean that is no chance; nan for fewer than 4 arms.

    `values` (K, S): of each of K arms and S seeds; `by_samples`: how each arm's distance to the
    mean over all K varies over resamples of G = `groups` groups of test samples. Seeds and samples
    are shared by the arms, so that only what they do to each arm alone counts as noise. One arm
    that is far off makes all others' distances look like more than chance: the share is one for
    all.

    Raises ValueError on other numbers of arms and seeds.
    """
    whole, noise = variances(values, by_samples, groups)
    return stein_factor(whole, noise, len(values))


def stein_factor(whole: float, noise: float, arms: int) -> float:
    """James and Stein's factor, not below 0; nan for fewer than 4 arms.

    `whole`: the variance (ddof 1) between the arms' estimates; `noise`: what of it is expected of
    arms that are all equal.
    """
    if arms < FEWEST_ARMS:
        return math.nan
    if noise == 0:
        return 1.0
    return max(1 - (arms - 3) / (arms - 1) * noise / whole, 0.0) if whole > 0 else 0.0
