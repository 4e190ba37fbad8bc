from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resampled_draws import about_mean

from mmclf.studies.statistics.draws import draw_variance
from mmclf.studies.statistics.estimates import estimate
from mmclf.studies.statistics.shapley import (
    Weights,
    order_weights,
    sampled_orders,
    shapley_weights,
)

Game = Callable[[frozenset[int]], float]


def coalitions(players: int) -> list[frozenset[int]]:
    sizes = range(players + 1)
    return [
        frozenset(combination)
        for size in sizes
        for combination in combinations(range(players), size)
    ]


def shares(weights: list[Weights], game: Game) -> list[float]:
    return [sum(weight * game(one) for one, weight in own.items()) for own in weights]


def gloves(coalition: frozenset[int]) -> float:
    """Player 0 has a left glove, 1 and 2 a right one each; only pairs are worth anything."""
    return float(0 in coalition and bool({1, 2} & coalition))


def airport(coalition: frozenset[int]) -> float:
    """A runway costs what the largest aircraft of its users needs."""
    return float(max(([1, 2, 3, 7][player] for player in coalition), default=0))


def unanimity(coalition: frozenset[int]) -> float:
    """Players 1 and 3 together are worth 6, whoever else is there."""
    return 6.0 * ({1, 3} <= coalition)


def additive(coalition: frozenset[int]) -> float:
    return float(sum([4, -1, 2.5][player] for player in coalition))


@pytest.mark.parametrize(
    ("game", "expected"),
    [
        (gloves, [2 / 3, 1 / 6, 1 / 6]),
        # Each section of the runway is shared by those who need it (Littlechild & Owen 1973).
        (
            airport,
            [1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3 + 1 / 2, 1 / 4 + 1 / 3 + 1 / 2 + 4],
        ),
        (unanimity, [0, 3, 0, 3]),
        (additive, [4, -1, 2.5]),
    ],
)
def test_known_games(game: Game, expected: list[float]) -> None:
    weights = shapley_weights(len(expected))
    assert shares(weights, game) == pytest.approx(expected)
    every = list(permutations(range(len(expected))))
    assert shares(order_weights(every), game) == pytest.approx(expected)


def test_the_weights_of_two_players_by_hand() -> None:
    none, first, second, both = coalitions(2)
    assert shapley_weights(2) == [
        {none: -0.5, first: 0.5, second: -0.5, both: 0.5},
        {none: -0.5, first: -0.5, second: 0.5, both: 0.5},
    ]
    assert shapley_weights(1) == [{none: -1.0, first: 1.0}]
    assert shapley_weights(0) == []


@pytest.mark.parametrize("players", range(1, 7))
def test_over_all_orders_the_mean_contribution_is_the_shapley_value(players: int) -> None:
    exact = shapley_weights(players)
    sampled = order_weights(list(permutations(range(players))))
    for own, other in zip(exact, sampled, strict=True):
        assert other == pytest.approx(own, abs=1e-12)


def adds_up(weights: list[Weights]) -> None:
    """All players' shares are together what all are worth, less what none is."""
    players = len(weights)
    for coalition in coalitions(players):
        total = sum(own.get(coalition, 0.0) for own in weights)
        expected = (len(coalition) == players) - (not coalition)
        assert total == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("players", range(1, 9))
def test_exact_weights_add_up(players: int) -> None:
    adds_up(shapley_weights(players))


@given(st.integers(1, 6), st.integers(1, 30), st.integers(0, 100))
def test_sampled_weights_add_up(players: int, orders: int, seed: int) -> None:
    adds_up(order_weights(sampled_orders(players, orders, seed)))


@st.composite
def games(draw: st.DrawFn) -> tuple[int, dict[frozenset[int], float]]:
    players = draw(st.integers(2, 5))
    return players, {coalition: draw(st.floats(-10, 10)) for coalition in coalitions(players)}


@given(games())
def test_any_game_is_shared_out_whole(drawn: tuple[int, dict[frozenset[int], float]]) -> None:
    players, values = drawn
    total = sum(shares(shapley_weights(players), values.__getitem__))
    expected = values[frozenset(range(players))] - values[frozenset()]
    assert total == pytest.approx(expected, abs=1e-9)


@given(games())
def test_players_that_count_the_same_get_the_same(
    drawn: tuple[int, dict[frozenset[int], float]],
) -> None:
    players, values = drawn
    swap = {0: 1, 1: 0}

    def symmetric(one: frozenset[int]) -> float:
        return values[one] + values[frozenset(swap.get(player, player) for player in one)]

    first, second, *_ = shares(shapley_weights(players), symmetric)
    assert first == pytest.approx(second, abs=1e-9)


@given(games(), st.floats(-10, 10))
def test_a_player_that_always_adds_the_same_gets_just_that(
    drawn: tuple[int, dict[frozenset[int], float]], added: float
) -> None:
    players, values = drawn

    def game(one: frozenset[int]) -> float:
        return values[one - {0}] + added * (0 in one)

    exact, sampled = shapley_weights(players), order_weights(sampled_orders(players, 6, 0))
    assert shares(exact, game)[0] == pytest.approx(added, abs=1e-9)
    assert shares(sampled, game)[0] == pytest.approx(added, abs=1e-9)


@given(st.integers(0, 7), st.integers(0, 60), st.integers(0, 100))
def test_orders_come_with_their_reverse_and_distinct(players: int, orders: int, seed: int) -> None:
    actual = sampled_orders(players, orders, seed)
    assert len(actual) == orders
    assert all(sorted(order) == list(range(players)) for order in actual)
    assert len(set(actual)) == min(orders, factorial(players))
    if players > 1:
        pairs = zip(actual[::2], actual[1::2], strict=False)
        assert all(second == first[::-1] for first, second in pairs)
    assert actual == sampled_orders(players, orders, seed)


def test_orders_beyond_all_there_are_come_again_evenly() -> None:
    actual = sampled_orders(3, 12, 0)
    assert {order: actual.count(order) for order in actual} == dict.fromkeys(
        permutations(range(3)), 2
    )


def test_other_seeds_give_other_orders() -> None:
    assert sampled_orders(6, 10, 0) != sampled_orders(6, 10, 1)


def test_sampled_orders_come_near_the_shapley_value() -> None:
    actual = shares(order_weights(sampled_orders(4, 2_000, 0)), airport)
    assert actual == pytest.approx(shares(shapley_weights(4), airport), abs=0.1)


@pytest.mark.parametrize("orders", [[], [(0, 1), (0, 2)], [(0, 0)], [(0, 1), (0, 1, 2)]])
def test_orders_of_other_players_are_refused(orders: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="expected one or more, each of the same players"):
        order_weights(orders)


def all_of_three(coalition: frozenset[int]) -> float:
    """Worth something only where 0, 1 and 2 are all there, each of which has a third."""
    return float(coalition >= {0, 1, 2})


def largest(coalition: frozenset[int]) -> float:
    """What the best player is worth, 1 to 8; the last one's Shapley value is that of an airport."""
    return max((player + 1.0 for player in coalition), default=0.0)


# Littlechild & Owen 1973, Management Science 20:370-372: each step is shared by all who need it.
AIRPORT = sum(1 / (8 - step) for step in range(8))


@pytest.mark.parametrize(
    ("game", "player", "value"), [(all_of_three, 0, 1 / 3), (largest, 7, AIRPORT)]
)
def test_intervals_from_sampled_orders_cover_the_shapley_value(
    game: Game, player: int, value: float
) -> None:
    """Without the orders' part they would cover nothing here, as nothing else varies."""
    runs, covered = 300, 0
    for run in range(runs):
        orders = sampled_orders(8, 32, seed=run)
        pairs = [orders[start : start + 2] for start in range(0, len(orders), 2)]
        draws = np.array([shares(order_weights(pair), game)[player] for pair in pairs])
        values = np.full(5, shares(order_weights(orders), game)[player])
        by_seed = np.tile(draws[:, None], (1, 5))
        added = draw_variance(by_seed, about_mean(np.tile(by_seed, (2, 1, 1))), 100)
        estimated = estimate(values, np.tile(values, (2, 1)), 100, added, len(draws))
        covered += estimated.low <= value <= estimated.high
    assert 0.92 * runs <= covered <= 0.99 * runs
