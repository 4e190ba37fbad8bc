from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from mmclf.errors import InputError
from mmclf.studies.statistics.estimates import Estimate, estimate, holm, without_samples

Floats = NDArray[np.float64]

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


def test_without_variance_of_samples_it_is_the_paired_t_test() -> None:
    values = FIRST - SECOND
    found = estimate(values, np.tile(values, (10, 1)), N)
    expected = stats.ttest_rel(FIRST, SECOND)
    assert found.p == pytest.approx(expected.pvalue)
    assert [found.low, found.high] == pytest.approx(list(expected.confidence_interval(0.95)))
    assert found.freedom == pytest.approx(3)
    assert found.value == pytest.approx(0.03)
    assert found.deviation == pytest.approx(np.std(values, ddof=1))
    assert found.standard_error == pytest.approx(np.std(values, ddof=1) / 2)
    assert (found.seeds, found.seed_share) == (4, 1.0)


def test_without_variance_of_seeds_it_is_the_bootstrap_of_the_mean() -> None:
    chance = np.random.default_rng(0)
    resampled = np.tile(0.1 + 0.04 * chance.standard_normal((500, 1)), (1, 3))
    found = estimate(np.full(3, 0.1), resampled, N)
    error = resampled[:, 0].std(ddof=1) * math.sqrt(N / (N - 1))
    assert found.standard_error == pytest.approx(error)
    assert (found.freedom, found.seed_share, found.deviation) == (N - 1, 0.0, 0.0)
    assert [found.low, found.high] == pytest.approx(stats.t(N - 1, 0.1, error).interval(0.95))
    assert found.p == pytest.approx(2 * stats.t(N - 1).sf(0.1 / error))


def test_a_single_seed_has_the_interval_of_its_samples() -> None:
    chance = np.random.default_rng(1)
    resampled = 0.1 + 0.04 * chance.standard_normal((500, 1))
    found = estimate(np.array([0.1]), resampled, N)
    error = resampled.std(ddof=1) * math.sqrt(N / (N - 1))
    assert (found.value, found.seeds, found.freedom) == (0.1, 1, N - 1)
    assert found.standard_error == pytest.approx(error)
    assert [found.low, found.high] == pytest.approx(stats.t(N - 1, 0.1, error).interval(0.95))
    assert math.isnan(found.deviation)
    assert math.isnan(found.seed_share)


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_the_parts_add_up_and_the_interaction_counts_once(seeds: int) -> None:
    values, resampled = layout(seeds, seed_sd=0.02, sample_sd=0.03, interaction_sd=0.04)
    found = estimate(values, resampled, N)
    between = values.var(ddof=1) / seeds
    # The covariance of two seeds' values, by its definition.
    covariances = np.cov(resampled.T)
    shared = covariances[~np.eye(seeds, dtype=bool)].mean() * N / (N - 1)
    assert found.standard_error**2 == pytest.approx(between + shared)
    assert found.seed_share == pytest.approx(between / (between + shared))
    # The resamples' variance without what the seeds have each for themselves.
    assert shared == pytest.approx(0.03**2, rel=0.15)
    quantile = stats.chi2(seeds - 1).ppf(0.3)
    upper = between * (seeds - 1) / quantile
    satterthwaite = (upper + shared) ** 2 / (upper**2 / (seeds - 1) + shared**2 / (N - 1))
    assert found.freedom == pytest.approx(satterthwaite)
    expected = stats.t(found.freedom, found.value, found.standard_error)
    assert [found.low, found.high] == pytest.approx(expected.interval(0.95))


def test_random_draws_add_their_variance_and_degrees_of_freedom() -> None:
    values = np.array([0.1, 0.2, 0.3])
    draws = np.array([0.0, 0.4, 0.2, 0.3])
    found = estimate(values, np.tile(values, (10, 1)), N, draws)
    between, drawn = values.var(ddof=1) / 3, draws.var(ddof=1) / 4
    assert found.standard_error**2 == pytest.approx(between + drawn)
    upper = between * 2 / stats.chi2(2).ppf(0.3)
    assert found.freedom == pytest.approx((upper + drawn) ** 2 / (upper**2 / 2 + drawn**2 / 3))


@pytest.mark.parametrize("draws", [[0.2], [0.2, 0.2, 0.2]])
def test_draws_without_variance_change_nothing(draws: list[float]) -> None:
    values, resampled = layout(3, seed_sd=0.02, sample_sd=0.03, interaction_sd=0.04)
    assert estimate(values, resampled, N, np.array(draws)) == estimate(values, resampled, N)


def test_a_negative_covariance_counts_as_none() -> None:
    values = np.array([0.1, 0.2])
    turns = np.array([[0.1], [-0.1], [0.05], [-0.05]]) * [1, -1]
    found = estimate(values, values + turns, N)
    assert found.standard_error**2 == pytest.approx(values.var(ddof=1) / 2)
    assert (found.seed_share, found.freedom) == pytest.approx((1, 1))


@pytest.mark.parametrize("seeds", [1, 2, 5])
@pytest.mark.parametrize(("value", "p"), [(0.0, 1.0), (0.1, 0.0), (-0.1, 0.0)])
def test_what_never_varies_is_certain(seeds: int, value: float, p: float) -> None:
    found = estimate(np.full(seeds, value), np.full((8, seeds), value), N)
    assert (found.value, found.low, found.high, found.p) == (value, value, value, p)
    assert found.standard_error == 0
    assert found.holds_zero == (value == 0)


def test_without_samples_it_is_students_t() -> None:
    found = without_samples(FIRST)
    error = FIRST.std(ddof=1) / 2
    assert found.standard_error == pytest.approx(error)
    assert found.deviation == pytest.approx(FIRST.std(ddof=1))
    assert [found.low, found.high] == pytest.approx(stats.t(3, 0.825, error).interval(0.95))
    assert found.p == pytest.approx(stats.ttest_1samp(FIRST, 0).pvalue)
    assert (found.seeds, found.freedom) == (4, 3)
    assert math.isnan(found.seed_share)


def test_without_samples_a_single_seed_has_no_interval() -> None:
    found = without_samples(np.array([0.7]))
    assert (found.value, found.seeds, found.freedom) == (0.7, 1, 0)
    unknown = (found.low, found.high, found.p, found.standard_error, found.deviation)
    assert all(math.isnan(number) for number in unknown)
    assert found.holds_zero


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [(-1, 1, True), (0, 1, True), (-1, 0, True), (0.1, 1, False), (-1, -0.1, False)],
)
def test_whether_the_interval_holds_zero(low: float, high: float, holds: bool) -> None:
    found = Estimate(
        value=0.5,
        low=low,
        high=high,
        deviation=1,
        seeds=2,
        standard_error=1,
        freedom=1,
        p=1,
        seed_share=1,
    )
    assert found.holds_zero == holds


numbers = st.floats(-1, 1)


@given(
    st.integers(1, 6).flatmap(
        lambda seeds: st.tuples(
            st.lists(numbers, min_size=seeds, max_size=seeds),
            st.lists(st.lists(numbers, min_size=seeds, max_size=seeds), min_size=2, max_size=6),
        )
    ),
    st.integers(2, 10_000),
)
def test_any_estimate_is_consistent(
    drawn: tuple[list[float], list[list[float]]], samples: int
) -> None:
    values, resampled = (np.array(rows) for rows in drawn)
    found = estimate(values, resampled, samples)
    seeds = len(values)
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(values.mean(), abs=1e-12)
    assert 0 <= found.p <= 1
    least = min(seeds - 1, samples - 1) if seeds > 1 else samples - 1
    assert least - 1e-9 <= found.freedom <= seeds - 1 + samples - 1 + 1e-9
    assert seeds == 1 or not found.seed_share < 0
    assert not found.seed_share > 1
    if abs(found.p - 0.05) > 1e-9 and found.standard_error > 1e-100:
        assert found.holds_zero == (found.p > 0.05)
    # Its sign and its unit are the values', and p has neither.
    turned = estimate(-2 * values, -2 * resampled, samples)
    assert turned.value == -2 * found.value
    assert turned.p == pytest.approx(found.p, abs=1e-9)
    assert (turned.low, turned.high) == pytest.approx((-2 * found.high, -2 * found.low))


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


def test_a_single_test_sample_tells_nothing() -> None:
    with pytest.raises(InputError, match="test samples: found 1, expected 2 or more"):
        estimate(np.zeros(2), np.zeros((5, 2)), 1)


def test_holm_by_hand() -> None:
    # Sorted: 4 x 0.005, 3 x 0.01, 2 x 0.03, and 1 x 0.04 not below what comes before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.3]) == pytest.approx([0.3])
    assert holm([0.6, 0.5]) == [1.0, 1.0]


def test_holm_on_a_published_example() -> None:
    # The 15 hypotheses of Benjamini & Hochberg (1995), J. Royal Statistical Society B 57, 4.2:
    # all that control being wrong about any hold the first three below 5 %.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
    adjusted = holm(p)
    assert adjusted[:4] == pytest.approx([15 * 0.0001, 14 * 0.0004, 13 * 0.0019, 12 * 0.0095])
    assert [one < 0.05 for one in adjusted] == [True] * 3 + [False] * 12
    assert adjusted == sorted(adjusted)


def test_holm_leaves_out_what_has_no_p() -> None:
    adjusted = holm([math.nan, 0.01, math.nan, 0.03])
    assert adjusted[1::2] == pytest.approx([0.02, 0.03])
    assert all(math.isnan(one) for one in adjusted[::2])
    assert all(math.isnan(one) for one in holm([math.nan]))
