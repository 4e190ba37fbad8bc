import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mmclf.studies.statistics.estimates import Estimate
from mmclf.studies.statistics.generalised import p_value
from mmclf.studies.statistics.power import (
    Decider,
    can_show_equal,
    samples_to_show_equal,
    smallest_shown,
    smallest_with_any_seeds,
    what_decides,
)
from mmclf.studies.statistics.verdicts import Difference


def difference(
    value: float,
    seed_sd: float,
    sample_sd: float,
    seeds: int,
    *,
    comparisons: int = 1,
    margin: float = 0.5,
    groups: int | None = None,
) -> Difference:
    estimate = Estimate(value, seeds, seed_sd**2 / seeds, sample_sd**2, groups)
    return Difference(estimate, comparisons, margin)


@pytest.mark.parametrize(
    ("seed_sd", "sample_sd", "seeds", "expected"),
    [
        (0.40, 0.08, 5, 0.70),
        (0.35, 0.20, 5, 0.80),
        (0.35, 0.40, 5, 1.257),
        (0.40, 0.08, 20, 0.35),
        (0.35, 0.20, 20, 0.61),
        (0.35, 0.40, 20, 1.144),
    ],
)
def test_smallest_shown_of_published_variances(
    seed_sd: float, sample_sd: float, seeds: int, expected: float
) -> None:
    assert smallest_shown(seed_sd, sample_sd, seeds, 1) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(("seeds", "comparisons"), [(10, 1), (6, 7), (3, 1)])
def test_without_test_noise_it_is_the_power_of_the_t_test(seeds: int, comparisons: int) -> None:
    shown = smallest_shown(1.0, 0.0, seeds, comparisons)
    critical = stats.t.ppf(1 - 0.025 / comparisons, seeds - 1)
    power = stats.nct.sf(critical, seeds - 1, shown * math.sqrt(seeds))
    assert power == pytest.approx(0.8, abs=1e-4)


def test_it_is_shown_in_four_of_five_studies() -> None:
    chance = np.random.default_rng(0)
    shown, studies, seeds = smallest_shown(0.4, 0.2, 4, 3), 4000, 4
    between = 0.4**2 / seeds
    means = chance.normal(shown, math.sqrt(between + 0.2**2), studies)
    estimated = between * chance.chisquare(seeds - 1, studies) / (seeds - 1)
    p = p_value(means, estimated, 0.2**2, seeds)
    assert np.mean((p < 0.05 / 3) & (means > 0)) == pytest.approx(0.8, abs=0.02)


def test_more_seeds_reach_the_floor_and_no_further() -> None:
    floor = smallest_with_any_seeds(0.4, 7)
    assert floor == pytest.approx(0.4 * (2.69011 + 0.84162), abs=1e-5)
    assert smallest_shown(0.35, 0.4, 100_000, 7) == pytest.approx(floor, rel=1e-4)
    assert smallest_with_any_seeds(0.0, 7) == 0.0


@given(
    st.floats(0.01, 2),
    st.floats(0, 2),
    st.integers(3, 12),
    st.integers(1, 20),
    st.floats(0.1, 10),
)
@settings(max_examples=8)
def test_it_scales_and_falls_with_seeds_and_rises_with_comparisons(
    seed_sd: float, sample_sd: float, seeds: int, comparisons: int, scale: float
) -> None:
    shown = smallest_shown(seed_sd, sample_sd, seeds, comparisons)
    scaled = smallest_shown(scale * seed_sd, scale * sample_sd, seeds, comparisons)
    assert scaled == pytest.approx(scale * shown, rel=1e-6)
    assert smallest_shown(seed_sd, sample_sd, seeds + 3, comparisons) < shown
    assert smallest_shown(seed_sd, sample_sd, seeds, comparisons + 1) > shown
    assert smallest_shown(seed_sd, sample_sd, seeds, comparisons, power=0.9) > shown
    assert smallest_with_any_seeds(sample_sd, comparisons) < shown


def test_nothing_varies_then_anything_is_shown() -> None:
    assert smallest_shown(0.0, 0.0, 2, 1) == 0.0


def test_one_seed_shows_nothing() -> None:
    with pytest.raises(ValueError, match="found 1"):
        smallest_shown(0.4, 0.1, 1, 1)


def test_equal_is_possible_below_the_margin_over_1645() -> None:
    limit = 0.5 / 1.6448536
    assert can_show_equal(limit - 1e-6, 0.5)
    assert not can_show_equal(limit + 1e-6, 0.5)


def test_samples_that_show_equality() -> None:
    # Two one-sided tests with known variance: N = N0 (1.6449 + 1.2816)² sd² / M².
    assert samples_to_show_equal(0.4, 0.5, 800) == math.ceil(800 * (2.926405 * 0.8) ** 2)
    assert samples_to_show_equal(0.5 / 2.9264053, 0.5, 800) == 800
    assert samples_to_show_equal(0.5 / 2.926404, 0.5, 800) == 801


@pytest.mark.parametrize("value", [0.6, -0.6])
def test_the_first_number_of_seeds_that_would_show_it(value: float) -> None:
    seed_sd, sample_sd = 0.5, 0.15
    decider = what_decides(difference(value, seed_sd, sample_sd, 4, comparisons=3, margin=0.0))
    assert decider.seeds is not None
    assert decider.samples_factor is None
    assert smallest_shown(seed_sd, sample_sd, decider.seeds, 3) <= 0.6
    assert smallest_shown(seed_sd, sample_sd, decider.seeds - 1, 3) > 0.6


def test_samples_decide_where_seeds_do_not() -> None:
    decider = what_decides(difference(0.6, 0.35, 0.4, 5, margin=0.0))
    assert decider.seeds is None
    assert decider.samples_seeds == 20
    assert decider.samples_factor is not None
    sample_sd = 0.4 / math.sqrt(decider.samples_factor)
    assert smallest_shown(0.35, sample_sd, 20, 1) == pytest.approx(0.6, rel=0.01)


def test_seeds_may_show_equality() -> None:
    decider = what_decides(difference(0.0, 0.4, 0.08, 3))
    assert decider.seeds is not None
    assert decider.seeds < 15
    # 80 % of means within 0.5 less 1.645 standard errors: no seeds do with 0.2 of test noise.
    assert what_decides(difference(0.0, 0.4, 0.2, 3)).seeds is None


def test_a_verdict_after_so_many_seeds() -> None:
    """Simulated: with the seeds named, at least 80 % of studies decide; with two less, fewer."""
    of = difference(0.15, 0.4, 0.08, 5, comparisons=2)
    seeds = what_decides(of).seeds
    assert seeds is not None
    chance = np.random.default_rng(1)

    def decided(count: int) -> float:
        hits = 0
        for _ in range(250):
            mean = chance.normal(0.15, math.sqrt(0.16 / count + 0.08**2))
            estimated = 0.4 * math.sqrt(chance.chisquare(count - 1) / (count - 1))
            actual = difference(mean, estimated, 0.08, count, comparisons=2)
            hits += actual.verdict != "undecided"
        return hits / 250

    assert decided(seeds) > 0.75
    assert decided(max(2, seeds // 2)) < 0.75


def test_neither_seeds_nor_samples() -> None:
    assert what_decides(difference(0.0, 0.4, 0.2, 5, margin=0.0)) == Decider(None)
    assert what_decides(difference(0.001, 0.4, 0.2, 5, margin=0.0)) == Decider(None)


def test_one_seed_does_not_tell() -> None:
    decider = what_decides(Difference(Estimate(0.3, 1, math.nan, 0.04, 800), 2, 0.5))
    assert decider == Decider(None, is_known=False)


def test_more_samples_are_no_cure_for_random_draws() -> None:
    of_draws = Estimate(0.5, 5, 0.02, 0.16, 800, shared_freedom=15.0)
    assert what_decides(Difference(of_draws, 7, 0.0)) == Decider(None, of_draws=True)
    of_samples = Estimate(0.5, 5, 0.02, 0.16, 800)
    assert what_decides(Difference(of_samples, 7, 0.0)).samples_factor is not None


def test_a_decided_difference_needs_nothing() -> None:
    with pytest.raises(ValueError, match="better"):
        what_decides(difference(5.0, 0.4, 0.1, 5))


def test_few_groups_need_more_than_many() -> None:
    few = what_decides(difference(0.3, 0.4, 0.08, 5, margin=0.0, groups=12)).seeds
    many = what_decides(difference(0.3, 0.4, 0.08, 5, margin=0.0, groups=4000)).seeds
    assert few is not None
    assert many is not None
    assert few > many


def test_words() -> None:
    assert Decider(12).words().startswith("12 seeds")
    assert "3.3 times" in Decider(None, 3.21, 20).words()
    assert "100" in Decider(None).words()
