"""How much of an error is spent at each look, so that stopping at any of them keeps the whole.

Looks at the data of a study that goes on are tests of one hypothesis on growing samples. At the
look k of K, with the share t_k of the seeds, the error that may have been spent by then is, of
O'Brien and Fleming's type (Lan & DeMets 1983, Biometrika 70:659-663),

    f(a, t) = 2 [1 - Φ(z_{1 - a/2} / sqrt(t))],

almost nothing early and the whole, a, at t = 1. The level of a look is that at which just the
look's share is spent by those who have not stopped before. It follows by integration from look to
look (Armitage, McPherson & Rowe 1969, J. Royal Statistical Society A 132:235-244), as the test
statistics are a Brownian motion: Z_j and Z_k have the correlation sqrt(t_j / t_k). Noise that all
seeds share correlates them more, which spends less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

FIRST_LOOKS = 3, 5
# An increment below it is no level that p can be told to be under: it is spent at the next look.
LEAST = 1e-13
# Standard deviations beyond which a look's statistic does not lie: their tails are 1e-6 of LEAST.
WIDEST = 9.0
NODES = 200


def looks(most: int) -> tuple[int, ...]:
    """After how many seeds a study of at most so many looks: 3, 5, 8, 13, 21 ..., and `most`.

    Each is the sum of the two before it, so that a look comes where it can tell something new.
    """
    planned: list[int] = []
    seeds, following = FIRST_LOOKS
    while seeds < most:
        planned.append(seeds)
        seeds, following = following, seeds + following
    return (*planned, most)


def spent(alpha: Floats | float, fractions: Floats | float) -> Floats:
    """The error (...) that is spent of `alpha` by the shares (...) of the seeds."""
    error: Floats = 2 * ndtr(ndtri(np.asarray(alpha) / 2) / np.sqrt(fractions))
    return error


def levels(alphas: Sequence[float], at: Sequence[int]) -> Floats:
    """The two-sided levels (R, K) of p at the looks `at` (K,), for each of R errors `alphas`."""
    fractions = np.asarray(at, dtype=np.float64) / at[-1]
    return nominal_levels(spent(np.asarray(alphas)[:, None], fractions), fractions)


def nominal_levels(errors: Floats, fractions: Floats) -> Floats:
    """The two-sided levels (R, K) that have spent the `errors` (R, K) by the `fractions` (K,).

    A level is 0 where less than 1e-13 may be spent, which then is at the next look.
    """
    positions, weights = np.polynomial.legendre.leggauss(NODES)
    return np.array([_row(of, fractions, positions, weights) for of in errors])


def _row(errors: Floats, fractions: Floats, positions: Floats, weights: Floats) -> list[float]:
    """The levels of one error; `positions` and `weights` integrate from -1 to 1."""
    # Where those are who have not stopped, at the scale Z sqrt(t), and how many: all begin at 0.
    nodes, mass = np.zeros(1), np.ones(1)
    since, used = 0.0, 0.0
    row = []
    for error, fraction in zip(errors.tolist(), fractions.tolist(), strict=True):
        step, deviation = math.sqrt(fraction - since), math.sqrt(fraction)
        bound = min(WIDEST * deviation, float(nodes.max()) + WIDEST * step)
        level = 0.0
        if error - used >= LEAST:
            bound = _bound(nodes, mass, step, error - used, bound)
            level, used = 2 * float(ndtr(-bound / deviation)), error
        row.append(level)
        ahead = bound * positions
        density = np.exp(-(((ahead - nodes[:, None]) / step) ** 2) / 2)
        mass = mass @ density * weights * bound / (step * math.sqrt(2 * math.pi))
        nodes, since = ahead, fraction
    return row


def _bound(nodes: Floats, mass: Floats, step: float, increment: float, widest: float) -> float:
    """The bound beyond which, to both sides, the share `increment` of all are after a step."""

    def excess(bound: float) -> float:
        beyond = ndtr((-bound - nodes) / step) + ndtr((nodes - bound) / step)
        return math.log(float(mass @ beyond)) - math.log(increment)

    return float(brentq(excess, 0.0, widest, xtol=1e-12))
