from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from resampled_draws import about_mean

from mmclf.studies.design_kinds import DESIGNS
from mmclf.studies.factors import Factor, Level
from mmclf.studies.statistics.draws import draw_variance
from mmclf.studies.statistics.estimates import Estimate, estimate
from mmclf.studies.statistics.shapley import order_weights, sampled_orders

Floats = NDArray[np.float64]

MEANS = np.array([0.1, 0.4, 0.2, 0.3])  # of four draws
BY_DRAWS = float(MEANS.var(ddof=1)) / 4
GROUPS = 50


def of_no_samples(values: Floats) -> Floats:
    """Resampled values (B, K, S) that never differ from the values (K, S)."""
    return np.tile(values, (6, 1, 1))


@pytest.mark.parametrize("seeds", [1, 2, 5])
def test_draws_alone_vary_by_their_means(seeds: int) -> None:
    values = np.tile(MEANS[:, None], (1, seeds))
    actual = draw_variance(values, about_mean(of_no_samples(values)), GROUPS)
    assert actual == pytest.approx(BY_DRAWS)


def test_what_seeds_and_samples_bring_to_all_draws_counts_for_none() -> None:
    chance = np.random.default_rng(0)
    values = MEANS[:, None] + chance.standard_normal((1, 3))
    resampled = values + chance.standard_normal((40, 1, 1)) + chance.standard_normal((40, 1, 3))
    assert draw_variance(values, about_mean(resampled), GROUPS) == pytest.approx(BY_DRAWS)


def test_what_a_seed_brings_to_a_draw_is_taken_from_their_variance() -> None:
    # Residuals of 0.06 in each of the four cells: mean square 4 x 0.06² / ((2 - 1) (2 - 1)).
    values = np.array([[0.0], [0.2]]) + 0.06 * np.array([[1, -1], [-1, 1]])
    expected = (0.2**2 / 2 - 4 * 0.06**2 / 2) / 2
    assert draw_variance(values, about_mean(of_no_samples(values)), GROUPS) == pytest.approx(
        expected
    )


@pytest.mark.parametrize("seeds", [1, 3])
def test_what_samples_bring_to_a_draw_is_taken_from_their_variance(seeds: int) -> None:
    values = np.tile([[0.0], [0.2]], (1, seeds))
    # Up in the one where down in the other: 0.2 becomes 0.2 + 2 u, so its half square 2 u² more.
    turns = 0.05 * np.array([1, -1, 1, -1])
    resampled = values + turns[:, None, None] * np.array([[1], [-1]])
    noise = 2 * float(turns.var(ddof=1)) * GROUPS / (GROUPS - 1)
    expected = (0.2**2 / 2 - noise) / 2
    assert draw_variance(values, about_mean(resampled), GROUPS) == pytest.approx(expected)


def test_what_samples_bring_to_a_draw_by_one_seed_counts_with_the_seeds() -> None:
    """By seeds it is noise of the values already; the covariance of two seeds leaves it out."""
    values = np.tile([[0.0], [0.2]], (1, 2))
    turns = 0.05 * np.array([1, -1, 1, -1])
    of_cell = np.array([[1, -1], [-1, 1]])
    resampled = values + turns[:, None, None] * of_cell
    assert draw_variance(values, about_mean(resampled), GROUPS) == pytest.approx(0.2**2 / 2 / 2)


def test_no_variance_is_negative() -> None:
    values = np.array([[0.1, -0.1], [-0.1, 0.1]])
    assert draw_variance(values, about_mean(of_no_samples(values)), GROUPS) == 0.0


def test_a_single_draw_tells_nothing() -> None:
    values = np.array([[0.1, 0.3]])
    assert draw_variance(values, about_mean(of_no_samples(values)), GROUPS) == 0.0


@pytest.mark.parametrize(
    ("values", "resampled"), [((2, 3), (5, 3, 2)), ((2, 3), (5, 2, 2)), ((2,), (5, 2, 1))]
)
def test_shapes_that_do_not_match_are_refused(
    values: tuple[int, ...], resampled: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        draw_variance(np.zeros(values), about_mean(np.zeros(resampled)), GROUPS)


def test_an_order_and_its_reverse_are_one_draw_of_an_attribution() -> None:
    players, orders = 9, 6
    factors = [Factor(f"f{i}", (Level("off", ()), Level("on", ()))) for i in range(players)]
    kind = DESIGNS["attribution"]
    arms = kind.make_arms(factors, orders)
    effects = kind.make_effects(arms, arms[0].name, factors, orders)
    drawn = sampled_orders(players, orders, seed=0)
    pairs = [order_weights(drawn[start : start + 2]) for start in range(0, orders, 2)]
    assert drawn[1::2] == [order[::-1] for order in drawn[::2]]
    for number, effect in enumerate(effects):
        assert len(effect.draws) == orders // 2
        for draw, weights in zip(effect.draws, pairs, strict=True):
            expected = sorted(weight for weight in weights[number].values() if weight != 0)
            assert sorted(draw.values()) == pytest.approx(expected)


PLAYERS, ORDERS, SEEDS, RESAMPLES = 8, 32, 5, 100


def worth(coalition: frozenset[int]) -> float:
    """The most that a player is worth alone, 1 to 8."""
    return max((player + 1.0 for player in coalition), default=0.0)


# Littlechild & Owen 1973, Management Science 20:370-372: each step is shared by all who need it.
SHARE_OF_THE_LAST = sum(1 / (PLAYERS - step) for step in range(PLAYERS))


def attribution(chance: np.random.Generator, run_noise: float, sample_noise: float) -> Estimate:
    """The last player's share by sampled orders, of arms that seeds and test samples move."""
    orders = sampled_orders(PLAYERS, ORDERS, seed=int(chance.integers(2**31)))
    pairs = [order_weights(orders[start : start + 2])[-1] for start in range(0, ORDERS, 2)]
    arms = list(dict.fromkeys(coalition for pair in pairs for coalition in pair))
    weights = np.array([[pair.get(arm, 0.0) for arm in arms] for pair in pairs])
    true = np.array([worth(arm) for arm in arms])
    samples = sample_noise * chance.standard_normal(len(arms))
    runs = run_noise * chance.standard_normal((len(arms), SEEDS))
    scores = (true + samples)[:, None] + runs
    draws = sample_noise * chance.standard_normal((RESAMPLES, len(arms), 1))
    values, resampled = weights @ scores, weights @ (scores + draws)
    added = draw_variance(values, about_mean(resampled), 10_000)
    return estimate(values.mean(axis=0), resampled.mean(axis=1), 10_000, added, len(pairs))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run_noise", "sample_noise"),
    [(0.0, 0.0), (2.0, 0.0), (10.0, 0.0), (0.0, 1.0), (0.0, 4.0), (4.0, 2.0)],
)
def test_the_standard_error_of_sampled_orders_is_right(
    run_noise: float, sample_noise: float
) -> None:
    many = 400
    chance = np.random.default_rng(0)
    actual = [attribution(chance, run_noise, sample_noise) for _ in range(many)]
    errors = np.array([one.value - SHARE_OF_THE_LAST for one in actual])
    # The mean estimate is within 4 standard errors of the truth.
    assert abs(errors.mean()) <= 4 * errors.std() / math.sqrt(many)
    estimated = math.sqrt(np.mean([one.standard_error**2 for one in actual]))
    covered = np.mean([one.low <= SHARE_OF_THE_LAST <= one.high for one in actual])
    print(f"{run_noise} {sample_noise} error {errors.std():.4f} SE {estimated:.4f} {covered:.3f}")
    assert estimated == pytest.approx(float(errors.std()), rel=0.12)
    # Of 400 the share varies by 1.1 points (sd) by itself.
    assert 0.92 <= covered <= 0.985
