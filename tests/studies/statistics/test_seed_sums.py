"""Sums over seeds tell of every contrast what the scores of each seed do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmclf.studies.statistics.sample_variance import sample_variance
from mmclf.studies.statistics.seed_sums import SeedSums, contrast_variance, seed_sums

Floats = NDArray[np.float64]

ARMS = ("a", "b", "c", "d")
B = 30
# Below these the rounding of contrasts shows.
HUNDREDTHS = st.integers(-200, 200).map(lambda hundredths: hundredths / 100)


def scores(seeds: int, arms: int = len(ARMS), state: int = 0) -> Floats:
    """Scores (B, S, A) about 0.8 of runs that share what a resample brings."""
    chance = np.random.default_rng(state)
    shared, own = chance.normal(0, 0.02, (B, 1, 1)), chance.normal(0, 0.005, (B, seeds, arms))
    values: Floats = 0.8 + shared + own
    return values


def weighted(resampled: Floats, weights: dict[str, float]) -> Floats:
    row: Floats = resampled @ np.array([weights.get(arm, 0.0) for arm in ARMS])
    return row


@given(
    st.dictionaries(st.sampled_from(ARMS), HUNDREDTHS, min_size=1),
    st.integers(1, 6),
    st.integers(0, 9),
)
def test_a_contrast_has_the_variances_of_its_resamples(
    weights: dict[str, float], seeds: int, state: int
) -> None:
    resampled = scores(seeds, state=state)
    sums = seed_sums(ARMS, range(seeds), [resampled])
    actual = contrast_variance([sums], weights, range(seeds))
    expected = sample_variance(weighted(resampled, weights))
    assert actual.seeds == seeds
    assert actual.of_mean == pytest.approx(expected.of_mean, rel=1e-7, abs=1e-20)
    assert actual.of_each == pytest.approx(expected.of_each, rel=1e-7, abs=1e-16)
    assert actual.shared == pytest.approx(expected.shared, rel=1e-6, abs=1e-16)


def test_seeds_that_lack_other_arms_count_all_the_same() -> None:
    whole, part = scores(3), scores(2, arms=2, state=1)
    sums = [seed_sums(ARMS, (0, 1, 2), [whole]), seed_sums(("a", "b"), (3, 4), [part])]
    of_both = np.concatenate([whole[..., 1] - whole[..., 0], part[..., 1] - part[..., 0]], axis=1)
    actual = contrast_variance(sums, {"a": -1.0, "b": 1.0}, range(5))
    expected = sample_variance(of_both)
    assert (actual.of_mean, actual.of_each) == pytest.approx((expected.of_mean, expected.of_each))
    of_whole = contrast_variance(sums, {"a": -1.0, "c": 1.0}, (0, 1, 2))
    expected = sample_variance(whole[..., 2] - whole[..., 0])
    assert (of_whole.of_mean, of_whole.of_each) == pytest.approx(
        (expected.of_mean, expected.of_each)
    )


@pytest.mark.parametrize("sizes", [(5,), (1, 4), (2, 2, 1), (1, 1, 1, 1, 1)])
def test_the_bits_are_the_same_however_seeds_are_divided(sizes: tuple[int, ...]) -> None:
    resampled = scores(5)
    blocks = np.split(resampled, np.cumsum(sizes)[:-1], axis=1)
    actual, whole = (seed_sums(ARMS, range(5), of) for of in (blocks, [resampled]))
    assert np.array_equal(actual.totals, whole.totals)
    assert np.array_equal(actual.covariances, whole.covariances)


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_arms_that_are_alike_differ_by_nothing(seeds: int) -> None:
    resampled = scores(seeds)
    resampled[..., 1] = resampled[..., 0]
    sums = seed_sums(ARMS, range(seeds), [resampled])
    actual = contrast_variance([sums], {"a": 1.0, "b": -1.0}, range(seeds))
    assert actual.of_mean == 0.0
    assert max(actual.shared, 0.0) == 0.0


def test_a_contrast_that_adds_up_to_nothing_does_so_in_thirds() -> None:
    weights = {"a": 1.0, "b": -1 / 3, "c": -1 / 3, "d": -1 / 3}
    for state in range(20):
        resampled = np.repeat(scores(3, state=state)[..., :1], 4, axis=2)
        sums = seed_sums(ARMS, range(3), [resampled])
        actual = contrast_variance([sums], weights, range(3))
        assert actual.of_mean == 0.0
        assert actual.of_each >= 0.0
        assert actual.shared <= 0.0


@pytest.mark.parametrize("seeds", [(), (0,), (0, 1, 2), (7,)])
def test_other_seeds_than_those_summed_are_refused(seeds: tuple[int, ...]) -> None:
    sums: list[SeedSums] = [seed_sums(ARMS, (0, 1), [scores(2)])]
    with pytest.raises(ValueError, match="expected"):
        contrast_variance(sums, {"a": 1.0}, seeds)


def test_an_arm_that_seeds_lack_is_refused() -> None:
    sums = [seed_sums(ARMS, (0, 1), [scores(2)]), seed_sums(("a", "b"), (2,), [scores(1, arms=2)])]
    with pytest.raises(ValueError, match="expected"):
        contrast_variance(sums, {"a": 1.0, "c": -1.0}, (0, 1, 2))


@pytest.mark.parametrize("shape", [(B, 2), (B, 2, 3), (1, 2, 4), (B, 3, 4)])
def test_blocks_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        seed_sums(ARMS, (0, 1), [np.zeros(shape)])
