"""The p-value and the interval of a mean over seeds and test samples, right far into their tails.

The mean D of S seeds' values has the variance

    var(D) = b + sh,    b = s² / S,

of which b, by the seeds' values, is known with S - 1 degrees of freedom, and sh, what all seeds
share by the draw of G groups of test samples, with G - 1. The generalised p-value (Tsui &
Weerahandi 1989, J. American Statistical Association 84:602-607) puts for each variance what it may
be, given its estimate:

    p(D) = E[ 2 Φ(-|D| / sqrt(b (S - 1) / X + sh (G - 1) / Y)) ],

X and Y chi-squared with S - 1 and G - 1 degrees of freedom. It is the two-sided tail of a sum of
two independent Student's t, sqrt(b) T(S - 1) + sqrt(sh) T(G - 1), as in the Behrens-Fisher problem,
and the interval is its inversion. With one variance alone it is Student's t. A correction for m
comparisons looks at p near 0.05 / m, where an approximation by one Student's t (Satterthwaite) errs
many times over with few seeds.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import brentq
from scipy.special import chdtri, gammaln, ndtr, stdtrit

Floats = NDArray[np.float64]

# Beyond these tails of a chi-squared variable nothing changes the seventh digit of a p of 1e-8.
LEAST_TAIL = 1e-17
# Between nodes, in standard deviations of log chi-squared, and at most.
STEP, LARGEST_STEP = 0.4, 0.35
# From so many degrees of freedom on a variance varies so little that Gauss's rule takes few nodes.
MANY, GAUSS_NODES = 60, 20
# With more degrees of freedom a variance is as good as known.
KNOWN = 100_000
# Of the normal law's tails that are computed at a time; they fit a processor's cache.
BLOCK = 2**16


def p_value(
    value: Floats | float,
    between: Floats | float,
    shared: Floats | float,
    seeds: int,
    groups: float | None = None,
) -> Floats:
    """The two-sided p (...) of the hypothesis that the expectation of `value` (...) is 0.

    `between` and `shared` (...) are the estimated variances b and sh of `value`, from S = `seeds`
    seeds, and G = `groups` groups of test samples (one more than the degrees of freedom that sh is
    known by, be they a whole number or not); without it sh is taken as known. Where neither varies,
    p is 1 for a value of 0 and 0 for another. It is an integral over both chi-squared variables:
    over the logarithm of one of few degrees of freedom by the trapezoidal rule, which converges
    exponentially for what falls off so fast at both ends; over one of many by Gauss's.

    Raises ValueError for fewer than 2 seeds with a variance between them, or fewer than 2 groups.
    """
    distance, of_seeds, of_samples = np.broadcast_arrays(np.abs(value), between, shared)
    if seeds < 2 and bool(np.any(of_seeds > 0)):
        raise ValueError(f"seeds: found {seeds}, expected 2 or more for a variance between them")
    if groups is not None and groups < 2:
        raise ValueError(f"groups: found {groups}, expected 2 or more")
    by_seeds, seed_weights = _variance_factors(_freedom(seeds) if of_seeds.any() else math.inf)
    by_samples, sample_weights = _variance_factors(
        _freedom(groups) if of_samples.any() else math.inf
    )
    distances, each_of_seeds, each_of_samples = (
        part.reshape(-1, 1, 1) for part in (distance, of_seeds, of_samples)
    )
    p = np.empty(distance.size)
    rows = max(1, BLOCK // (len(by_seeds) * len(by_samples)))
    for start in range(0, distance.size, rows):
        block = slice(start, start + rows)
        variances = each_of_seeds[block] * by_seeds[:, None] + each_of_samples[block] * by_samples
        p[block] = _tails(distances[block], variances) @ sample_weights @ seed_weights
    return p.reshape(distance.shape)


def reach(
    between: float, shared: float, seeds: int, groups: float | None = None, *, alpha: float = 0.05
) -> float:
    """How far the 1 - `alpha` interval reaches to either side: the value whose p is `alpha`."""
    if between == 0 and shared == 0:
        return 0.0
    # The sum of two independent variables about 0 reaches further than each alone, and not as far
    # as both together at half of alpha.
    alone = [_t_reach(between, _freedom(seeds), alpha), _t_reach(shared, _freedom(groups), alpha)]
    both = [
        _t_reach(between, _freedom(seeds), alpha / 2),
        _t_reach(shared, _freedom(groups), alpha / 2),
    ]

    def beyond(logarithm: float) -> float:
        p = float(p_value(math.exp(logarithm), between, shared, seeds, groups))
        return math.log(p) - math.log(alpha)

    low, high = math.log(max(alone)) - 1e-6, math.log(sum(both)) + 1e-6
    return math.exp(float(brentq(beyond, low, high, xtol=1e-10)))


def _t_reach(variance: float, freedom: float, alpha: float) -> float:
    """How far the 1 - `alpha` interval of Student's t reaches, with this variance of the mean."""
    if variance == 0:
        return 0.0
    return -float(stdtrit(freedom, alpha / 2)) * math.sqrt(variance)


def _freedom(count: float | None) -> float:
    """The degrees of freedom of a variance of so many values; infinitely many of a known one."""
    return math.inf if count is None or not 1 <= count - 1 <= KNOWN else count - 1.0


def _tails(distance: Floats, variance: Floats) -> Floats:
    """2 Φ(-distance / sqrt(variance)); without variance 1 at a distance of 0, else 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = distance / np.sqrt(variance)
    tails: Floats = 2 * ndtr(-np.where(np.isnan(ratios), 0.0, ratios))
    return tails


def _variance_factors(freedom: float) -> tuple[Floats, Floats]:
    """What a variance of so many degrees of freedom may be times its estimate, and the weights.

    These are freedom / x at nodes x of chi-squared.
    """
    if math.isinf(freedom):
        return np.ones(1), np.ones(1)
    if freedom >= MANY:
        return _by_gauss(freedom)
    half = freedom / 2
    # Near 0 the distribution is (x / 2)^half / gamma(half + 1).
    low = math.log(2) + (math.log(LEAST_TAIL) + float(gammaln(half + 1))) / half
    high = math.log(float(chdtri(freedom, LEAST_TAIL)))
    step = min(LARGEST_STEP, STEP * math.sqrt(2 / freedom))
    nodes = np.arange(low, high + step, step)
    log_density = half * (nodes - math.log(2)) - np.exp(nodes) / 2 - gammaln(half)
    weights = np.exp(log_density)
    return freedom * np.exp(-nodes), weights / weights.sum()


def _by_gauss(freedom: float) -> tuple[Floats, Floats]:
    """By the quadrature whose polynomials are Laguerre's, as half of chi-squared is gamma.

    Golub & Welsch 1969, Mathematics of Computation 23:221-230; scipy's own overflows here.
    """
    order = np.arange(GAUSS_NODES)
    halves, vectors = eigh_tridiagonal(
        2 * order + freedom / 2, np.sqrt(order[1:] * (order[1:] + freedom / 2 - 1))
    )
    weights: Floats = vectors[0] ** 2
    return freedom / (2 * halves), weights
