from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from mmclf.errors import InputError
from mmclf.studies.statistics.estimates import Estimate, estimate, without_samples
from mmclf.studies.statistics.generalised import p_value, reach

Floats = NDArray[np.float64]

# An interval that few seeds and groups widen takes milliseconds.
few_examples = settings(max_examples=40)
FIRST = np.array([0.81, 0.84, 0.79, 0.86])
SECOND = np.array([0.78, 0.80, 0.79, 0.81])
N = 200


def layout(
    seeds: int, seed_sd: float, sample_sd: float, interaction_sd: float, resamples: int = 4_000
) -> tuple[Floats, Floats]:
    """Values (S,) and resampled values (B, S) with these parts, the latter by the normal law."""
    chance = np.random.default_rng(seeds)
    values = 0.5 + seed_sd * chance.standard_normal(seeds)
    shared = sample_sd * chance.standard_normal((resamples, 1))
    own = interaction_sd * chance.standard_normal((resamples, seeds))
    return values, values + shared + own


def interval(result: Estimate) -> list[float]:
    return [result.low, result.high]


def test_without_variance_of_samples_it_is_the_paired_t_test() -> None:
    values = FIRST - SECOND
    estimated = estimate(values, np.tile(values, (10, 1)), N)
    expected = stats.ttest_rel(FIRST, SECOND)
    assert estimated.p == pytest.approx(expected.pvalue)
    assert interval(estimated) == pytest.approx(list(expected.confidence_interval(0.95)))
    assert estimated.value == pytest.approx(0.03)
    assert estimated.deviation == pytest.approx(np.std(values, ddof=1))
    assert estimated.between == pytest.approx(np.var(values, ddof=1) / 4)
    assert estimated.standard_error == pytest.approx(np.std(values, ddof=1) / 2)
    assert (estimated.seeds, estimated.groups, estimated.shared, estimated.seed_share) == (
        4,
        N,
        0.0,
        1.0,
    )


def test_without_variance_of_seeds_it_is_the_bootstrap_of_the_mean() -> None:
    chance = np.random.default_rng(0)
    resampled = np.tile(0.1 + 0.04 * chance.standard_normal((500, 1)), (1, 3))
    estimated = estimate(np.full(3, 0.1), resampled, N)
    error = resampled[:, 0].std(ddof=1) * math.sqrt(N / (N - 1))
    assert estimated.standard_error == pytest.approx(error)
    assert (estimated.between, estimated.seed_share, estimated.deviation) == (0.0, 0.0, 0.0)
    assert interval(estimated) == pytest.approx(stats.t(N - 1, 0.1, error).interval(0.95))
    assert estimated.p == pytest.approx(2 * stats.t(N - 1).sf(0.1 / error))


def test_a_single_seed_has_the_interval_of_its_samples() -> None:
    chance = np.random.default_rng(1)
    resampled = 0.1 + 0.04 * chance.standard_normal((500, 1))
    estimated = estimate(np.array([0.1]), resampled, N)
    error = resampled.std(ddof=1) * math.sqrt(N / (N - 1))
    assert (estimated.value, estimated.seeds) == (0.1, 1)
    assert estimated.standard_error == pytest.approx(error)
    assert interval(estimated) == pytest.approx(stats.t(N - 1, 0.1, error).interval(0.95))
    unknown = (estimated.between, estimated.deviation, estimated.seed_share)
    assert all(math.isnan(number) for number in unknown)


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_the_parts_add_up_and_the_interaction_counts_once(seeds: int) -> None:
    values, resampled = layout(seeds, seed_sd=0.02, sample_sd=0.03, interaction_sd=0.04)
    estimated = estimate(values, resampled, N)
    between = values.var(ddof=1) / seeds
    # The covariance of two seeds' values, by its definition.
    covariances = np.cov(resampled.T)
    shared = covariances[~np.eye(seeds, dtype=bool)].mean() * N / (N - 1)
    assert (estimated.between, estimated.shared) == pytest.approx((between, shared))
    assert estimated.standard_error**2 == pytest.approx(between + shared)
    assert estimated.seed_share == pytest.approx(between / (between + shared))
    # The resamples' variance without what the seeds have each for themselves.
    assert shared == pytest.approx(0.03**2, rel=0.15)
    reaches = reach(between, shared, seeds, N)
    assert interval(estimated) == pytest.approx(
        [estimated.value - reaches, estimated.value + reaches]
    )
    assert estimated.p == pytest.approx(float(p_value(estimated.value, between, shared, seeds, N)))
    beyond = float(p_value(estimated.value - 0.45, between, shared, seeds, N))
    assert estimated.p_beyond(0.45) == pytest.approx(beyond)
    assert estimated.reach(0.001) == pytest.approx(reach(between, shared, seeds, N, alpha=0.001))


def test_random_draws_alone_are_students_t_of_their_number() -> None:
    estimated = estimate(np.full(3, 0.2), np.full((10, 3), 0.2), N, draw_variance=0.01, draws=4)
    assert (estimated.between, estimated.shared, estimated.groups) == (0.0, 0.01, N)
    assert estimated.shared_freedom == pytest.approx(3)
    assert interval(estimated) == pytest.approx(stats.t(3, 0.2, 0.1).interval(0.95))
    assert estimated.p == pytest.approx(2 * stats.t(3).sf(2))


def test_random_draws_add_their_variance_to_that_of_samples() -> None:
    values, resampled = layout(3, seed_sd=0.02, sample_sd=0.03, interaction_sd=0.0)
    alone = estimate(values, resampled, N)
    estimated = estimate(values, resampled, N, draw_variance=0.0004, draws=16)
    assert estimated.shared == pytest.approx(alone.shared + 0.0004)
    assert (estimated.value, estimated.between) == (alone.value, alone.between)
    # Satterthwaite, 1946, equation 17, for sums of two mean squares.
    expected = estimated.shared**2 / (alone.shared**2 / (N - 1) + 0.0004**2 / 15)
    assert estimated.shared_freedom == pytest.approx(expected)
    assert estimated.reach(0.05) == pytest.approx(
        reach(estimated.between, estimated.shared, 3, expected + 1)
    )


def test_draws_without_variance_change_nothing() -> None:
    values, resampled = layout(3, seed_sd=0.02, sample_sd=0.03, interaction_sd=0.04)
    assert estimate(values, resampled, N, 0.0, 16) == estimate(values, resampled, N)


def test_a_negative_covariance_counts_as_none() -> None:
    values = np.array([0.1, 0.2])
    turns = np.array([[0.1], [-0.1], [0.05], [-0.05]]) * [1, -1]
    estimated = estimate(values, values + turns, N)
    assert estimated.standard_error**2 == pytest.approx(values.var(ddof=1) / 2)
    assert (estimated.seed_share, estimated.shared) == (1.0, 0.0)


@pytest.mark.parametrize("seeds", [1, 2, 5])
@pytest.mark.parametrize(("value", "p"), [(0.0, 1.0), (0.1, 0.0), (-0.1, 0.0)])
def test_what_never_varies_is_certain(seeds: int, value: float, p: float) -> None:
    estimated = estimate(np.full(seeds, value), np.full((8, seeds), value), N)
    assert (estimated.value, estimated.low, estimated.high, estimated.p) == (value, value, value, p)
    assert estimated.standard_error == 0
    assert math.isnan(estimated.seed_share)


def test_without_samples_it_is_students_t() -> None:
    actual = without_samples(FIRST)
    error = FIRST.std(ddof=1) / 2
    assert actual.standard_error == pytest.approx(error)
    assert actual.deviation == pytest.approx(FIRST.std(ddof=1))
    assert interval(actual) == pytest.approx(stats.t(3, 0.825, error).interval(0.95))
    assert actual.p == pytest.approx(stats.ttest_1samp(FIRST, 0).pvalue)
    assert actual.p_beyond(0.8) == pytest.approx(stats.ttest_1samp(FIRST, 0.8).pvalue)
    assert (actual.seeds, actual.groups) == (4, None)
    assert math.isnan(actual.seed_share)


def test_without_samples_a_single_seed_has_no_interval() -> None:
    actual = without_samples(np.array([0.7]))
    assert (actual.value, actual.seeds) == (0.7, 1)
    unknown = (actual.low, actual.high, actual.p, actual.standard_error, actual.deviation)
    assert all(math.isnan(number) for number in unknown)
    assert math.isnan(actual.p_beyond(0.7))
    assert math.isnan(actual.reach(0.1))


# No smaller ones than 1e-12, to which scores are rounded: their squares would be no numbers.
numbers = st.floats(-1, 1).map(lambda number: round(number, 12))


@few_examples
@given(
    st.integers(1, 6).flatmap(
        lambda seeds: st.tuples(
            st.lists(numbers, min_size=seeds, max_size=seeds),
            st.lists(st.lists(numbers, min_size=seeds, max_size=seeds), min_size=2, max_size=6),
        )
    ),
    st.integers(2, 10_000),
    st.just(0.0) | st.floats(1e-9, 1),
    st.integers(2, 40),
)
def test_any_estimate_is_consistent(
    drawn: tuple[list[float], list[list[float]]], groups: int, draw_variance: float, draws: int
) -> None:
    values, resampled = (np.array(rows) for rows in drawn)
    estimated = estimate(values, resampled, groups, draw_variance, draws)
    assert estimated.low <= estimated.value <= estimated.high
    assert estimated.value == pytest.approx(values.mean(), abs=1e-12)
    assert 0 <= estimated.p <= 1
    assert not estimated.seed_share < 0
    assert not estimated.seed_share > 1
    if estimated.shared_freedom is not None:
        assert min(groups, draws) - 1 <= estimated.shared_freedom * (1 + 1e-12)
        assert estimated.shared_freedom <= (groups + draws - 2) * (1 + 1e-12)
    if abs(estimated.p - 0.05) > 1e-6:
        assert (estimated.low <= 0 <= estimated.high) == (estimated.p > 0.05)
    # Its sign and its unit are the values', and p has neither.
    turned = estimate(-2 * values, -2 * resampled, groups, 4 * draw_variance, draws)
    assert turned.value == -2 * estimated.value
    assert turned.p == pytest.approx(estimated.p, abs=1e-9)
    assert (turned.low, turned.high) == pytest.approx((-2 * estimated.high, -2 * estimated.low))


@pytest.mark.parametrize(
    ("values", "resampled"), [((2,), (5, 3)), ((2, 1), (5, 2)), ((2,), (1, 2)), ((2,), (5,))]
)
def test_shapes_that_do_not_match_are_refused(
    values: tuple[int, ...], resampled: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        estimate(np.zeros(values), np.zeros(resampled), N)


def test_no_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="a seed or more"):
        without_samples(np.zeros(0))
    with pytest.raises(ValueError, match="a seed or more"):
        estimate(np.zeros(0), np.zeros((5, 0)), N)


def test_a_variance_of_less_than_two_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="draws: found 1"):
        estimate(np.zeros(2), np.zeros((5, 2)), N, 0.1, 1)


def test_a_single_test_sample_tells_nothing() -> None:
    with pytest.raises(InputError, match="test samples: found 1, expected 2 or more"):
        estimate(np.zeros(2), np.zeros((5, 2)), 1)
