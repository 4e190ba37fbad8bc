from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.special import gammaln, stdtr

from mmclf.studies.statistics.generalised import KNOWN, MANY, p_value, reach

# An interval that few seeds and groups widen takes milliseconds.
few_examples = settings(max_examples=40)
SHARED = 0.04  # sh of all the tests here; only its ratio to b matters


def by_quadrature(distance: float, between: float, shared: float, seeds: int) -> float:
    """The same p of known sh: adaptively, over log chi-squared, in pieces about its bulk."""
    freedom = seeds - 1
    constant = -freedom / 2 * math.log(2) - float(gammaln(freedom / 2))

    def integrand(point: float) -> float:
        variance = between * freedom * math.exp(-point) + shared
        density = math.exp(constant + freedom / 2 * point - math.exp(point) / 2)
        return math.erfc(distance / math.sqrt(2 * variance)) * density

    # Where the two variances are as large as each other; there the tail changes.
    equal = math.log(between * freedom / shared)
    ends = sorted({-100.0, -60.0, -30.0, -10.0, 0.0, 3.0, 6.0, equal - 3, equal, equal + 3})
    ends = [end for end in ends if -100 <= end <= 6]
    pieces = [
        quad(integrand, low, high, epsabs=1e-17, epsrel=1e-11, limit=500)[0]
        for low, high in itertools.pairwise(ends)
    ]
    return float(sum(pieces))


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 20])
@pytest.mark.parametrize("ratio", [1e-13, 1e-9, 1e-5, 1e-2, 1.0, 30.0])
def test_p_is_that_of_an_adaptive_integration(seeds: int, ratio: float) -> None:
    between = ratio * SHARED
    compared = 0
    for size in (0.1, 1, 2, 3, 4, 5, 5.6, 8, 30, 1e3, 1e6):
        distance = size * math.sqrt(between + SHARED)
        expected = by_quadrature(distance, between, SHARED, seeds)
        if expected >= 1e-8:
            compared += 1
            assert float(p_value(distance, between, SHARED, seeds)) == pytest.approx(
                expected, rel=1e-6
            )
    assert compared >= 6


def by_convolution(
    distance: float, between: float, shared: float, seeds: int, groups: int
) -> float:
    """P(|sqrt(b) T(S-1) + sqrt(sh) T(G-1)| > distance), by one's density and the other's tail."""
    freedom = groups - 1
    constant = float(gammaln(groups / 2) - gammaln(freedom / 2)) - math.log(freedom * math.pi) / 2

    def beyond(angle: float) -> float:
        point = math.tan(angle)
        tail = float(stdtr(seeds - 1, (math.sqrt(shared) * point - distance) / math.sqrt(between)))
        density = math.exp(constant - groups / 2 * math.log1p(point**2 / freedom))
        return density * tail / math.cos(angle) ** 2

    centre = math.atan(distance / math.sqrt(shared))
    ends = [-math.pi / 2, -1.0, 0.0, centre / 2, centre, math.pi / 2]
    pieces = [
        quad(beyond, low, high, epsabs=1e-16, epsrel=1e-10, limit=400)[0]
        for low, high in itertools.pairwise(ends)
    ]
    return 2 * float(sum(pieces))


@pytest.mark.parametrize("seeds", [2, 3, 10])
@pytest.mark.parametrize("groups", [2, 5, 30, MANY, MANY + 1, MANY + 2, 800])
@pytest.mark.parametrize("ratio", [1e-3, 1.0, 20.0])
def test_p_is_the_tail_of_two_students_t(seeds: int, groups: int, ratio: float) -> None:
    between = ratio * SHARED
    for size in (0.5, 2.0, 4.5):
        distance = size * math.sqrt(between + SHARED)
        expected = by_convolution(distance, between, SHARED, seeds, groups)
        actual = float(p_value(distance, between, SHARED, seeds, groups))
        assert actual == pytest.approx(expected, rel=1e-6)


def test_p_is_the_share_of_drawn_variables_that_lie_beyond() -> None:
    chance = np.random.default_rng(0)
    drawn = np.abs(0.3 * chance.standard_t(2, 400_000) + 0.4 * chance.standard_t(39, 400_000))
    for distance in (0.4, 1.0, 2.0, 4.0):
        expected = float((drawn > distance).mean())
        error = math.sqrt(expected * (1 - expected) / len(drawn))
        actual = float(p_value(distance, 0.3**2, 0.4**2, 3, 40))
        assert actual == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("size", [0.3, 2.0, 6.0])
@pytest.mark.parametrize("count", [2, 3, 5, 40, MANY + 1, 300, KNOWN + 1])
def test_one_variance_alone_is_students_t(count: int, size: float) -> None:
    of_t = 2 * float(stats.t(count - 1).sf(size))
    assert float(p_value(size * 0.2, SHARED, 0.0, count, 50)) == pytest.approx(of_t, rel=1e-7)
    assert float(p_value(-size * 0.2, 0.0, SHARED, 2, count)) == pytest.approx(of_t, rel=1e-7)


@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.05 / 63])
@pytest.mark.parametrize("count", [2, 5, MANY + 1, KNOWN + 1, KNOWN + 2, 10 * KNOWN])
def test_the_interval_of_one_variance_alone_is_students_t(count: int, alpha: float) -> None:
    expected = 0.2 * float(stats.t(count - 1).isf(alpha / 2))
    # Beyond KNOWN Student's t is taken for the normal law.
    relative = 1e-7 if count <= KNOWN + 1 else 1e-4
    assert reach(SHARED, 0.0, count, 50, alpha=alpha) == pytest.approx(expected, rel=relative)
    assert reach(0.0, SHARED, 3, count, alpha=alpha) == pytest.approx(expected, rel=relative)


def test_a_known_variance_alone_is_normal() -> None:
    assert float(p_value(0.4, 0.0, SHARED, 1)) == pytest.approx(2 * stats.norm.sf(2), rel=1e-12)
    assert reach(0.0, SHARED, 1) == pytest.approx(0.2 * stats.norm.isf(0.025), rel=1e-9)


def test_what_never_varies_is_certain() -> None:
    assert p_value(np.array([0.0, 1e-300, -2.0]), 0.0, 0.0, 1).tolist() == [1.0, 0.0, 0.0]
    assert reach(0.0, 0.0, 1) == 0.0


seed_counts = st.integers(2, 30)
group_counts = st.none() | st.integers(2, 2_000)
# Of variances: nothing, or anything that a score may have, in the square.
variances = st.just(0.0) | st.floats(1e-24, 1e4)
alphas = st.floats(0.05 / 1_000, 0.2)


@few_examples
@given(variances, variances, seed_counts, group_counts, alphas)
def test_the_interval_is_the_inversion_of_p(
    between: float, shared: float, seeds: int, groups: int | None, alpha: float
) -> None:
    assume(between + shared > 0)
    distance = reach(between, shared, seeds, groups, alpha=alpha)
    assert float(p_value(distance, between, shared, seeds, groups)) == pytest.approx(
        alpha, rel=1e-7
    )


@few_examples
@given(st.floats(0, 1e3), st.floats(1, 10), variances, variances, seed_counts, group_counts, alphas)
def test_p_falls_with_the_distance_and_rises_with_each_variance(
    distance: float,
    factor: float,
    between: float,
    shared: float,
    seeds: int,
    groups: int | None,
    alpha: float,
) -> None:
    assume(between + shared > 0)

    def p(distance: float, between: float, shared: float) -> float:
        return float(p_value(distance, between, shared, seeds, groups))

    actual = p(distance, between, shared)
    slack = 1e-9 * actual
    assert 0 <= actual <= 1
    assert p(factor * distance, between, shared) <= actual + slack
    assert p(distance, factor * between, shared) >= actual - slack
    assert p(distance, between, factor * shared) >= actual - slack
    assert p(-distance, between, shared) == actual
    # Each variance alone has the smaller tail (Anderson 1955: of what is unimodal about 0).
    assert max(p(distance, between, 0.0), p(distance, 0.0, shared)) <= actual + slack
    narrow, wide = (reach(between, shared, seeds, groups, alpha=a) for a in (alpha, alpha / factor))
    assert wide >= narrow * (1 - 1e-9)


@few_examples
@given(st.floats(1e-3, 1e3), variances, variances, seed_counts, group_counts)
def test_p_has_no_unit(
    unit: float, between: float, shared: float, seeds: int, groups: int | None
) -> None:
    distance = 2.5 * math.sqrt(between + shared)
    actual = p_value(distance, between, shared, seeds, groups)
    scaled = p_value(unit * distance, unit**2 * between, unit**2 * shared, seeds, groups)
    assert float(scaled) == pytest.approx(float(actual), rel=1e-9)


def test_arrays_are_taken_element_by_element_whatever_their_size() -> None:
    chance = np.random.default_rng(0)
    values, of_seeds, of_samples = chance.standard_normal(90), chance.chisquare(2, 90), 0.5
    many = p_value(values.reshape(2, 45), of_seeds.reshape(2, 45), of_samples, 3, 400)
    assert many.shape == (2, 45)
    one_by_one = [
        float(p_value(value, between, of_samples, 3, 400))
        for value, between in zip(values, of_seeds, strict=True)
    ]
    assert many.ravel() == pytest.approx(one_by_one, rel=1e-12)
    assert p_value(np.zeros((0, 3)), 1.0, 1.0, 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((0.1, 0.1, 0.1, 1), "seeds: found 1"),
        ((0.1, [0.0, 0.1], 0.1, 1), "seeds: found 1"),
        ((0.1, 0.1, 0.1, 3, 1), "groups: found 1"),
        ((0.1, 0.1, 0.1, 3, 1.5), "groups: found 1.5"),
    ],
)
def test_a_variance_of_a_single_value_is_refused(arguments: tuple[Any, ...], found: str) -> None:
    with pytest.raises(ValueError, match=found):
        p_value(*arguments)
