"""Designs: which arms a study has, and which differences between them it asks for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mmclf.errors import InputError, suggestion
from mmclf.studies.factors import Factor, Level
from mmclf.studies.statistics.shapley import (
    Weights,
    order_weights,
    sampled_orders,
    shapley_weights,
)

BASE, DEFAULT, IMPROVED = "base", "default", "improved"
MOST_SUBSETS = 7  # changes of which all subsets are run; beyond, orders are sampled
ADDING_UP = ("ladder", "attribution")  # designs whose effects are parts of one gain
CHANGES = ("leave_one_out", "add_one", "ladder", "attribution")  # designs of two-level factors


@dataclass(frozen=True)
class Arm:
    """One configuration under comparison: the level of each factor, and its overrides."""

    name: str
    levels: Mapping[str, str]
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Effect:
    """A difference that the study asks for: a weight of each arm's metric, adding up to 0.

    `draws`: where orders of the changes are sampled, the weights by each draw alone, of which
    `weights` is the mean; others would have given another one.
    """

    name: str
    weights: Mapping[str, float]
    draws: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True)
class Design:
    """The arms, the one that the others are compared to, and the effects."""

    arms: tuple[Arm, ...]
    baseline: str
    effects: tuple[Effect, ...]


def build_design(kind: str, factors: Sequence[Factor], baseline: str | None, orders: int) -> Design:
    """The design `kind` over the factors.

    `baseline` None is the arm that the design starts from; `orders`: how many orders an attribution
    of more than 7 changes draws. Raises InputError for factors that the design cannot take.
    """
    if kind in CHANGES:
        _check_two_levels(kind, factors)
    arms, start = ARMS[kind](factors, orders)
    _check_names(kind, factors, orders, arms)
    names = [arm.name for arm in arms]
    if baseline is not None and baseline not in names:
        raise InputError(
            f"study.baseline: there is no arm {baseline!r}: {suggestion(baseline, names)}"
        )
    base = start if baseline is None else baseline
    return Design(arms, base, _effects(kind, arms, base, factors, orders))


def _check_two_levels(kind: str, factors: Sequence[Factor]) -> None:
    problems = [
        f"study.factors.{factor.name}: found {len(factor.levels)} levels, expected two, before and "
        f"after the change, as study.design={kind} wants"
        for factor in factors
        if len(factor.levels) != 2
    ]
    if problems:
        raise InputError(*problems)


def _check_names(kind: str, factors: Sequence[Factor], orders: int, arms: Sequence[Arm]) -> None:
    """Raise InputError for arms of one name: their runs could not be told apart."""
    places: dict[str, list[int]] = {}
    for place, arm in enumerate(arms):
        places.setdefault(arm.name, []).append(place)
    if len(places) == len(arms):
        return
    # What makes a name is what tells its arms apart once it is called otherwise.
    renamed = [(what, ARMS[kind](changed, orders)[0]) for what, changed in _renamed(factors)]
    problems: dict[tuple[str, ...], str] = {}
    for name, at in places.items():
        if len(at) == 1:
            continue
        alike = [_levels(arms[place]) for place in at]
        makers = [what for what, now in renamed if len({now[place].name for place in at}) > 1]
        problems.setdefault(
            tuple(makers),
            f"study.factors: the arms of {' and of '.join(alike)} would all be called {name!r}, "
            f"expected a name of its own for each: rename {' or '.join(makers) or 'the factors'}",
        )
    raise InputError(*problems.values())


def _renamed(factors: Sequence[Factor]) -> Iterator[tuple[str, Sequence[Factor]]]:
    """Each factor and each level, and the factors if that alone had another name."""
    for place, factor in enumerate(factors):
        others = [replace(factor, name="\0")]
        told = [f"the factor {factor.name!r}"]
        for at, level in enumerate(factor.levels):
            levels = [*factor.levels[:at], replace(level, name="\0"), *factor.levels[at + 1 :]]
            others.append(replace(factor, levels=tuple(levels)))
            told.append(f"the level {level.name!r} of {factor.name!r}")
        for what, other in zip(told, others, strict=True):
            yield what, [*factors[:place], other, *factors[place + 1 :]]


def _levels(arm: Arm) -> str:
    return f"({', '.join(f'{name}={level}' for name, level in arm.levels.items())})"


Laid = tuple[tuple[Arm, ...], str]


def _grid(factors: Sequence[Factor], _orders: int) -> Laid:
    """All combinations."""
    combinations = itertools.product(*(factor.levels for factor in factors))
    arms = tuple(_arm(_joined(factors, levels), factors, levels) for levels in combinations)
    return arms, arms[0].name


def _one_at_a_time(factors: Sequence[Factor], _orders: int) -> Laid:
    """The first levels, and each factor's other levels alone."""
    first = [factor.levels[0] for factor in factors]
    only = len(factors) == 1
    arms = [_arm(first[0].name if only else BASE, factors, first)]
    for place, factor in enumerate(factors):
        for level in factor.levels[1:]:
            levels = [*first[:place], level, *first[place + 1 :]]
            name = level.name if only else f"{factor.name}={level.name}"
            arms.append(_arm(name, factors, levels))
    return tuple(arms), arms[0].name


def _leave_one_out(factors: Sequence[Factor], _orders: int) -> Laid:
    """All changes, and all but each."""
    every = range(len(factors))
    arms = [_changed(IMPROVED, factors, every)]
    for left in every:
        name = f"without {factors[left].name}"
        arms.append(_changed(name, factors, [i for i in every if i != left]))
    return tuple(arms), IMPROVED


def _add_one(factors: Sequence[Factor], _orders: int) -> Laid:
    """No change, and each alone."""
    arms = [_changed(DEFAULT, factors, [])]
    arms += [_changed(f"with {factor.name}", factors, [i]) for i, factor in enumerate(factors)]
    return tuple(arms), DEFAULT


def _ladder(factors: Sequence[Factor], _orders: int) -> Laid:
    """No change, then one after the other."""
    last = len(factors)
    names = [DEFAULT, *(f"+ {factor.name}" for factor in factors[:-1]), IMPROVED]
    arms = [_changed(names[i], factors, range(i)) for i in range(last + 1)]
    return tuple(arms), DEFAULT


def _attribution(factors: Sequence[Factor], orders: int) -> Laid:
    """All subsets of the changes, or those that sampled orders pass through."""
    every = range(len(factors))
    subsets: Iterable[frozenset[int]]
    if len(factors) <= MOST_SUBSETS:
        subsets = [
            frozenset(subset)
            for size in range(len(factors) + 1)
            for subset in itertools.combinations(every, size)
        ]
    else:
        passed = (
            frozenset(order[:size])
            for order in _orders(factors, orders)
            for size in (0, *every, len(factors))
        )
        subsets = sorted(dict.fromkeys(passed), key=lambda one: (len(one), sorted(one)))
    arms = tuple(_changed(_subset_name(factors, one), factors, sorted(one)) for one in subsets)
    return arms, DEFAULT


def _orders(factors: Sequence[Factor], orders: int) -> list[tuple[int, ...]]:
    # The same for every seed, as arms are the same across seeds.
    return sampled_orders(len(factors), orders, seed=0)


def _subset_name(factors: Sequence[Factor], subset: frozenset[int]) -> str:
    if not subset:
        return DEFAULT
    if len(subset) == len(factors):
        return IMPROVED
    return " + ".join(factors[i].name for i in sorted(subset))


def _changed(name: str, factors: Sequence[Factor], changed: Iterable[int]) -> Arm:
    done = set(changed)
    return _arm(name, factors, [f.levels[int(i in done)] for i, f in enumerate(factors)])


def _joined(factors: Sequence[Factor], levels: Sequence[Level]) -> str:
    if len(factors) == 1:
        return levels[0].name
    return ", ".join(f"{f.name}={level.name}" for f, level in zip(factors, levels, strict=True))


def _arm(name: str, factors: Sequence[Factor], levels: Sequence[Level]) -> Arm:
    chosen = {f.name: level.name for f, level in zip(factors, levels, strict=True)}
    return Arm(name, chosen, tuple(line for level in levels for line in level.overrides))


def _effects(
    kind: str, arms: Sequence[Arm], baseline: str, factors: Sequence[Factor], orders: int
) -> tuple[Effect, ...]:
    if kind == "ladder":
        pairs = itertools.pairwise(arms)
        steps = zip(factors, pairs, strict=True)
        return tuple(_difference(factor.name, to, since) for factor, (since, to) in steps)
    if kind == "attribution":
        return _shapley(factors, orders)
    by_name = {arm.name: arm for arm in arms}
    return tuple(
        _difference(arm.name, arm, by_name[baseline]) for arm in arms if arm.name != baseline
    )


def _difference(name: str, to: Arm, since: Arm) -> Effect:
    return Effect(name, {to.name: 1.0, since.name: -1.0})


def _shapley(factors: Sequence[Factor], orders: int) -> tuple[Effect, ...]:
    """Each change's Shapley value: the parts of the whole gain, which add up to it."""
    if len(factors) <= MOST_SUBSETS:
        exact = shapley_weights(len(factors))
        return tuple(
            Effect(factor.name, _by_arm(factors, of))
            for factor, of in zip(factors, exact, strict=True)
        )
    drawn = _orders(factors, orders)
    # An order and its reverse are no two draws: the one follows from the other.
    draws = [order_weights(drawn[place : place + 2]) for place in range(0, len(drawn), 2)]
    mean = order_weights(drawn)
    return tuple(
        Effect(factor.name, _by_arm(factors, of), tuple(_by_arm(factors, one[k]) for one in draws))
        for k, (factor, of) in enumerate(zip(factors, mean, strict=True))
    )


def _by_arm(factors: Sequence[Factor], weights: Weights) -> dict[str, float]:
    """The weights of coalitions of changes as those of the arms that make just these."""
    return {_subset_name(factors, s): weight for s, weight in weights.items() if weight != 0}


ARMS: Mapping[str, Callable[[Sequence[Factor], int], Laid]] = {
    "grid": _grid,
    "one_at_a_time": _one_at_a_time,
    "leave_one_out": _leave_one_out,
    "add_one": _add_one,
    "ladder": _ladder,
    "attribution": _attribution,
}
