"""The ratio of what is positive, such as running times, paired by seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.statistics.estimates import without_samples

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ratio:
    """A geometric mean of ratios, and its 95 % interval; nan at its ends with a single seed."""

    value: float
    low: float
    high: float


def geometric_ratio(values: Floats, reference: Floats) -> Ratio:
    """The geometric mean of values / reference (S,), by a paired Student's t of their logarithms.

    Times of one seed share its data, and machines that are twice as slow are so for both, so that
    their ratio varies less than their difference. Raises ValueError unless all are above 0.
    """
    if not (np.all(values > 0) and np.all(reference > 0)):
        raise ValueError("values and reference: found one that is not above 0")
    logarithm = without_samples(np.log(values / reference))
    return Ratio(*(math.exp(of) for of in (logarithm.value, logarithm.low, logarithm.high)))
