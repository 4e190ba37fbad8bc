"""A study's design: its arms, the one that the others are compared to, and its effects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mmclf.config.study_schema import Study
from mmclf.errors import InputError, suggestion
from mmclf.studies.design_kinds import Arm, Effect, MakeArms, design_kind, differences
from mmclf.studies.factors import Factor, factors_of


@dataclass(frozen=True)
class Design:
    """The arms, the one that the others are compared to, and the effects."""

    arms: tuple[Arm, ...]
    baseline: str
    effects: tuple[Effect, ...]


def build_design(
    name: str,
    factors: Sequence[Factor],
    baseline: str | None,
    orders: int,
    *,
    stops_early: bool = False,
) -> Design:
    """The design of this `name` in DESIGNS over the factors.

    `baseline` None is the arm that the design starts from; `orders`: how many orders an attribution
    of more than 7 changes draws. `stops_early`: arms get as many seeds as they need, so that
    contrasts of many arms are not asked unless they add up. Raises InputError for a design that
    there is not, and for factors that it cannot take.
    """
    kind = design_kind(name)
    if kind.of_changes:
        _check_two_levels(name, factors)
    arms = tuple(kind.make_arms(factors, orders))
    _check_names(kind.make_arms, factors, orders, arms)
    names = [arm.name for arm in arms]
    if baseline is not None and baseline not in names:
        raise InputError(
            f"study.baseline: there is no arm {baseline!r}: {suggestion(baseline, names)}"
        )
    base = names[0] if baseline is None else baseline
    make_effects = differences if stops_early and not kind.adds_up else kind.make_effects
    return Design(arms, base, tuple(make_effects(arms, base, factors, orders)))


def design_of(study: Study) -> Design:
    """The design that a study's settings ask for; raises InputError for those that it cannot be."""
    return build_design(
        study.design,
        factors_of(study),
        study.baseline,
        study.orders,
        stops_early=study.until == "decided",
    )


def _check_two_levels(name: str, factors: Sequence[Factor]) -> None:
    problems = [
        f"study.factors.{factor.name}: found {len(factor.levels)} levels, expected two, before and "
        f"after the change, as study.design={name} wants"
        for factor in factors
        if len(factor.levels) != 2
    ]
    if problems:
        raise InputError(*problems)


def _check_names(
    make_arms: MakeArms, factors: Sequence[Factor], orders: int, arms: Sequence[Arm]
) -> None:
    """Raise InputError for arms of one name: their runs could not be told apart."""
    indices: dict[str, list[int]] = {}
    for index, arm in enumerate(arms):
        indices.setdefault(arm.name, []).append(index)
    if len(indices) == len(arms):
        return
    # What makes a name is what tells its arms apart once it is called otherwise.
    renamed = [(what, make_arms(changed, orders)) for what, changed in _renamed(factors)]
    problems: dict[tuple[str, ...], str] = {}
    for name, at in indices.items():
        if len(at) == 1:
            continue
        alike = [_levels(arms[index]) for index in at]
        makers = [what for what, now in renamed if len({now[index].name for index in at}) > 1]
        problems.setdefault(
            tuple(makers),
            f"study.factors: the arms of {' and of '.join(alike)} would all be called {name!r}, "
            f"expected a name of its own for each: rename {' or '.join(makers) or 'the factors'}",
        )
    raise InputError(*problems.values())


def _renamed(factors: Sequence[Factor]) -> Iterator[tuple[str, Sequence[Factor]]]:
    """Each factor and each level, and the factors if that alone had another name."""
    for index, factor in enumerate(factors):
        before, after = factors[:index], factors[index + 1 :]
        yield f"the factor {factor.name!r}", [*before, replace(factor, name="\0"), *after]
        for at, level in enumerate(factor.levels):
            levels = (*factor.levels[:at], replace(level, name="\0"), *factor.levels[at + 1 :])
            what = f"the level {level.name!r} of {factor.name!r}"
            yield what, [*before, replace(factor, levels=levels), *after]


def _levels(arm: Arm) -> str:
    return f"({', '.join(f'{name}={level}' for name, level in arm.levels.items())})"
