"""Shapley values of parts as contrasts: what each coalition's value counts in each part's share.

Players are numbered from 0, a coalition is the set of those that take part, and its value is known
from elsewhere. A player's Shapley value is the sum of its weights times the coalitions' values, so
that its uncertainty is that of a contrast.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, factorial

import numpy as np

Weights = dict[frozenset[int], float]


def shapley_weights(players: int) -> list[Weights]:
    """For each player, what each coalition's value counts in its Shapley value.

    That is the mean of what the player adds to those before it, over all k! orders of k players:
    |S|! (k - |S| - 1)! / k! of them have just the others S before it (Shapley 1953, A value for
    n-person games). All 2^k coalitions have a weight.
    """
    weights: list[Weights] = [{} for _ in range(players)]
    for size in range(players + 1):
        for members in combinations(range(players), size):
            coalition = frozenset(members)
            for player, own in enumerate(weights):
                if player in coalition:
                    own[coalition] = 1 / (players * comb(players - 1, size - 1))
                else:
                    own[coalition] = -1 / (players * comb(players - 1, size))
    return weights


def sampled_orders(players: int, orders: int, seed: int) -> list[tuple[int, ...]]:
    """So many random orders of the players, distinct while there are others.

    Each is followed by its reverse, as whoever comes early in one comes late in the other, which
    makes the mean over both vary less (Mitchell, Cooper, Frank & Holmes 2022, Sampling permutations
    for Shapley value estimation, JMLR 23:43). If the number is odd, the last one has no reverse.
    """
    chance = np.random.default_rng(seed)
    drawn: list[tuple[int, ...]] = []
    seen: set[tuple[int, ...]] = set()
    while len(drawn) < orders:
        if len(seen) == factorial(players):
            seen.clear()
        order = tuple(int(player) for player in chance.permutation(players))
        if order not in seen:
            pair = list(dict.fromkeys([order, order[::-1]]))
            seen.update(pair)
            drawn += pair
    return drawn[:orders]


def order_weights(orders: Sequence[tuple[int, ...]]) -> list[Weights]:
    """For each player, what each coalition's value counts in its mean contribution over `orders`.

    A player contributes what it adds to the value of those before it. The mean over random orders
    is the Shapley value's estimate (Castro, Gómez & Tejada 2009, Polynomial calculation of the
    Shapley value based on sampling, Computers & Operations Research 36:1726-1730); whatever the
    orders, the players' sum is the value of all less that of none. Only coalitions that the orders
    pass through have a weight.

    Raises ValueError if there is no order, or one of other players than the first.
    """
    if not orders or any(sorted(order) != list(range(len(orders[0]))) for order in orders):
        raise ValueError(
            f"orders {orders!r}: expected one or more, each of the same players 0 to k - 1"
        )
    weights: list[Weights] = [{} for _ in orders[0]]
    for order in orders:
        for position, player in enumerate(order):
            own = weights[player]
            before, after = frozenset(order[:position]), frozenset(order[: position + 1])
            own[before] = own.get(before, 0.0) - 1 / len(orders)
            own[after] = own.get(after, 0.0) + 1 / len(orders)
    return weights
