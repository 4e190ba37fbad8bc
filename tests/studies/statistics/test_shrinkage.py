import math

import numpy as np
import pytest
from numpy.typing import NDArray
from resampled_draws import about_mean

from mmclf.studies.statistics.shrinkage import kept_share, stein_factor

Floats = NDArray[np.float64]


def study(
    chance: np.random.Generator,
    means: Floats,
    *,
    seeds: int = 5,
    seed_sd: float = 0.3,
    sample_sd: float = 0.2,
    resamples: int = 100,
) -> tuple[Floats, Floats]:
    """Arms (K,) of true means: what a study with noise of seeds and test samples sees of them."""
    arms = len(means)
    drawn = sample_sd * chance.normal(size=(arms, 1))
    values = means[:, None] + drawn + seed_sd * chance.normal(size=(arms, seeds))
    again = sample_sd * chance.normal(size=(resamples, arms, 1))
    return values, values + again + np.zeros((resamples, arms, seeds))


def test_the_batting_averages_of_efron_and_morris() -> None:
    # 18 players of 1970, 45 times at bat each: c = 0.212, Clemente's 0.400 becomes 0.294 (Efron &
    # Morris 1977, Stein's paradox in statistics, Scientific American 236:119-127).
    hits = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]
    averages = np.array(hits) / 45
    mean = averages.mean()
    factor = stein_factor(averages.var(ddof=1), mean * (1 - mean) / 45, 18)
    assert factor == pytest.approx(0.212, abs=5e-4)
    assert mean + factor * (averages[0] - mean) == pytest.approx(0.294, abs=5e-4)
    assert mean + factor * (averages[-1] - mean) == pytest.approx(0.242, abs=5e-4)


def test_bounds() -> None:
    assert stein_factor(1.0, 0.0, 4) == 1.0
    assert stein_factor(0.0, 1.0, 4) == 0.0
    assert stein_factor(1.0, 2.0, 5) == 0.0  # 1 - 2/4 * 2
    assert stein_factor(1.0, 1.0, 5) == 0.5
    assert math.isnan(stein_factor(1.0, 0.1, 3))
    assert stein_factor(1.0, 0.3, 4) == pytest.approx(0.9)


def test_equal_arms_the_best_of_seven_is_hardly_better() -> None:
    chance = np.random.default_rng(0)
    leads, kept = [], []
    for _ in range(300):
        values, resampled = study(chance, np.zeros(7))
        lead = values.mean(axis=1).max() - values.mean()
        leads.append(lead)
        kept.append(kept_share(values, about_mean(resampled), 10_000) * lead)
    # 1.352, the expected largest of 7, standard errors.
    assert np.mean(leads) == pytest.approx(1.352 * math.sqrt(0.09 / 5 + 0.04), rel=0.05)
    assert np.mean(kept) < 0.45 * np.mean(leads)


def test_of_arms_that_differ_the_best_is_as_good_as_shrunken() -> None:
    chance = np.random.default_rng(1)
    seen, shrunken, true = [], [], []
    for _ in range(300):
        means = 0.25 * chance.normal(size=12)
        values, resampled = study(chance, means)
        of_arms = values.mean(axis=1)
        best = of_arms.argmax()
        seen.append(of_arms[best] - of_arms.mean())
        shrunken.append(kept_share(values, about_mean(resampled), 10_000) * seen[-1])
        true.append(means[best] - means.mean())
    assert np.mean(shrunken) == pytest.approx(np.mean(true), abs=0.04)
    assert np.mean(seen) > np.mean(true) + 0.1


def test_arms_far_apart_are_left_as_they_are() -> None:
    values, resampled = study(np.random.default_rng(2), np.linspace(0.0, 50.0, 6))
    assert kept_share(values, about_mean(resampled), 10_000) > 0.99


def test_shapes_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="expected"):
        kept_share(np.zeros((4, 3)), about_mean(np.zeros((10, 4, 2))), 50)
