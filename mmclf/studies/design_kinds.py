"""Designs, an object each: the arms that it makes of the factors, the effects that it asks for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mmclf.errors import InputError, nearest
from mmclf.studies.factors import Factor, Level
from mmclf.studies.statistics.interactions import main_effects, two_way_interactions
from mmclf.studies.statistics.shapley import (
    Weights,
    order_weights,
    sampled_orders,
    shapley_weights,
)

BASE, DEFAULT, IMPROVED = "base", "default", "improved"
MOST_SUBSETS = 7  # changes of which all subsets are run; beyond, orders are sampled


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


MakeArms = Callable[[Sequence[Factor], int], Sequence[Arm]]
MakeEffects = Callable[[Sequence[Arm], str, Sequence[Factor], int], Sequence[Effect]]


def differences(
    arms: Sequence[Arm], baseline: str, _factors: Sequence[Factor], _orders: int
) -> list[Effect]:
    """Each arm's difference to the baseline."""
    return [_difference(arm.name, arm.name, baseline) for arm in arms if arm.name != baseline]


@dataclass(frozen=True)
class DesignKind:
    """A design: how it makes arms and effects, and what a report has to know of it.

    `words` describe it. `make_arms` takes the factors and how many orders are drawn, where orders
    are; the first arm is the one that it starts from. `make_effects` takes the arms and the
    baseline's name besides. `of_changes`: each factor has two levels, before and after a change.
    `part`: what an effect is, where the effects add up to the gain from the first arm to the last,
    else empty. `in_order`: its arms are a sequence. `many_arms`: too many for a plot, which has
    those with a single change and the last. `named_by_levels`: a plot calls an arm by its levels.
    """

    words: str
    make_arms: MakeArms
    make_effects: MakeEffects = differences
    of_changes: bool = False
    part: str = ""
    in_order: bool = False
    many_arms: bool = False
    named_by_levels: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether the effects are parts of one gain, from the first arm to the last."""
        return self.part != ""


def _grid(factors: Sequence[Factor], _orders: int) -> list[Arm]:
    combinations = itertools.product(*(factor.levels for factor in factors))
    return [_arm(_joined(factors, levels), factors, levels) for levels in combinations]


def _factorial(
    arms: Sequence[Arm], baseline: str, factors: Sequence[Factor], orders: int
) -> list[Effect]:
    """Main effects and two-way interactions, against the baseline's levels.

    Of a single factor each arm's difference to the baseline, which its main effects are.
    """
    if len(factors) == 1:
        return differences(arms, baseline, factors, orders)
    sizes = [len(factor.levels) for factor in factors]
    cells = itertools.product(*map(range, sizes))
    names = {cell: arm.name for cell, arm in zip(cells, arms, strict=True)}
    reference = next(cell for cell, name in names.items() if name == baseline)
    contrasts = [*main_effects(sizes, reference), *two_way_interactions(sizes, reference)]
    return [
        Effect(
            " x ".join(
                f"{factors[factor].name}={factors[factor].levels[level].name}"
                for factor, level in contrast.levels.items()
            ),
            {names[cell]: weight for cell, weight in contrast.weights.items()},
        )
        for contrast in contrasts
    ]


def _one_at_a_time(factors: Sequence[Factor], _orders: int) -> list[Arm]:
    first = [factor.levels[0] for factor in factors]
    only = len(factors) == 1
    arms = [_arm(first[0].name if only else BASE, factors, first)]
    for index, factor in enumerate(factors):
        for level in factor.levels[1:]:
            levels = [*first[:index], level, *first[index + 1 :]]
            name = level.name if only else f"{factor.name}={level.name}"
            arms.append(_arm(name, factors, levels))
    return arms


def _leave_one_out(factors: Sequence[Factor], _orders: int) -> list[Arm]:
    every = range(len(factors))
    return [
        _changed(IMPROVED, factors, every),
        *(
            _changed(f"without {factors[left].name}", factors, [i for i in every if i != left])
            for left in every
        ),
    ]


def _add_one(factors: Sequence[Factor], _orders: int) -> list[Arm]:
    alone = [_changed(f"with {factor.name}", factors, [i]) for i, factor in enumerate(factors)]
    return [_changed(DEFAULT, factors, []), *alone]


def _ladder(factors: Sequence[Factor], _orders: int) -> list[Arm]:
    names = [DEFAULT, *(f"+ {factor.name}" for factor in factors[:-1]), IMPROVED]
    return [_changed(name, factors, range(i)) for i, name in enumerate(names)]


def _steps(
    arms: Sequence[Arm], _baseline: str, factors: Sequence[Factor], _orders: int
) -> list[Effect]:
    pairs = zip(factors, itertools.pairwise(arms), strict=True)
    return [_difference(factor.name, to.name, since.name) for factor, (since, to) in pairs]


def _subsets(factors: Sequence[Factor], orders: int) -> list[Arm]:
    """All subsets of the changes, or those that sampled orders pass through."""
    every = range(len(factors))
    sizes = range(len(factors) + 1)
    subsets: Iterable[frozenset[int]]
    if len(factors) <= MOST_SUBSETS:
        subsets = (
            frozenset(subset) for size in sizes for subset in itertools.combinations(every, size)
        )
    else:
        drawn = _sampled(factors, orders)
        passed = (frozenset(order[:size]) for order in drawn for size in sizes)
        subsets = sorted(dict.fromkeys(passed), key=lambda subset: (len(subset), sorted(subset)))
    return [_changed(_subset_name(factors, subset), factors, subset) for subset in subsets]


def _shapley(
    _arms: Sequence[Arm], _baseline: str, factors: Sequence[Factor], orders: int
) -> list[Effect]:
    """Each change's Shapley value: the parts of the whole gain, which add up to it."""
    if len(factors) <= MOST_SUBSETS:
        exact = zip(factors, shapley_weights(len(factors)), strict=True)
        return [Effect(factor.name, _by_arm(factors, weights)) for factor, weights in exact]
    drawn = _sampled(factors, orders)
    # An order and its reverse are no two draws: the one follows from the other.
    draws = [order_weights(drawn[index : index + 2]) for index in range(0, len(drawn), 2)]
    means = zip(factors, order_weights(drawn), strict=True)
    return [
        Effect(
            factor.name,
            _by_arm(factors, weights),
            tuple(_by_arm(factors, draw[index]) for draw in draws),
        )
        for index, (factor, weights) in enumerate(means)
    ]


def _sampled(factors: Sequence[Factor], orders: int) -> list[tuple[int, ...]]:
    # The same for every seed, as arms are the same across seeds.
    return sampled_orders(len(factors), orders, seed=0)


def _subset_name(factors: Sequence[Factor], subset: frozenset[int]) -> str:
    if not subset:
        return DEFAULT
    if len(subset) == len(factors):
        return IMPROVED
    return " + ".join(factors[i].name for i in sorted(subset))


def _by_arm(factors: Sequence[Factor], weights: Weights) -> dict[str, float]:
    """The weights of coalitions of changes as those of the arms that make just these."""
    return {_subset_name(factors, s): weight for s, weight in weights.items() if weight != 0}


def _changed(name: str, factors: Sequence[Factor], changed: Iterable[int]) -> Arm:
    after = set(changed)
    return _arm(name, factors, [f.levels[int(i in after)] for i, f in enumerate(factors)])


def _joined(factors: Sequence[Factor], levels: Sequence[Level]) -> str:
    if len(factors) == 1:
        return levels[0].name
    return ", ".join(f"{f.name}={level.name}" for f, level in zip(factors, levels, strict=True))


def _arm(name: str, factors: Sequence[Factor], levels: Sequence[Level]) -> Arm:
    chosen = {f.name: level.name for f, level in zip(factors, levels, strict=True)}
    return Arm(name, chosen, tuple(line for level in levels for line in level.overrides))


def _difference(name: str, to: str, since: str) -> Effect:
    return Effect(name, {to: 1.0, since: -1.0})


# A new design is an entry here.
DESIGNS: Mapping[str, DesignKind] = {
    "grid": DesignKind(
        "grid: every combination of the factors' levels", _grid, _factorial, named_by_levels=True
    ),
    "one_at_a_time": DesignKind(
        "one at a time: each factor's levels alone, the other factors as they were", _one_at_a_time
    ),
    "leave_one_out": DesignKind(
        "leave one out: all changes, and all but each", _leave_one_out, of_changes=True
    ),
    "add_one": DesignKind("add one: no change, and each alone", _add_one, of_changes=True),
    "ladder": DesignKind(
        "ladder: one change after the other, in the given order",
        _ladder,
        _steps,
        of_changes=True,
        part="each change added to those before it",
        in_order=True,
    ),
    "attribution": DesignKind(
        "attribution: subsets of the changes, and each change's Shapley value",
        _subsets,
        _shapley,
        of_changes=True,
        part="on average over the orders in which the changes can be made (Shapley values)",
        many_arms=True,
    ),
}


def design_kind(name: str) -> DesignKind:
    """The design of this name; raises InputError if there is no such one."""
    if name not in DESIGNS:
        near = nearest(name, DESIGNS)
        hint = f" (did you mean {near!r}?)" if near is not None else ""
        raise InputError(
            f"study.design: found {name!r}{hint}, expected one of {', '.join(DESIGNS)}"
        )
    return DESIGNS[name]
