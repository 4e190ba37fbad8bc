"""The settings of a study, with their types and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeGuard

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from mmclf.config.setting_types import Count, Margin, MostSeeds, Seed, Text, in_words


def _seeds(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    words = "a number of seeds of at least 1, or a list of different seeds from 0 on"
    return in_words(value, handler, words)


def _levels(value: object, handler: ValidatorFunctionWrapHandler) -> object:
    words = "a list of levels, or names of levels, each with an override or a list of overrides"
    names = [name for name in value if not isinstance(name, str)] if _is_named(value) else []
    if names:
        quoted = " and ".join(f'"{name}"' for name in names)
        words = f"levels whose names are texts: put them in quotes, {quoted}"
    return in_words(value, handler, words)


def _is_named(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


Seeds = Annotated[Count | Annotated[list[Seed], Field(min_length=1)], WrapValidator(_seeds)]
Levels = Annotated[list[Any] | dict[str, str | list[str]], WrapValidator(_levels)]


@dataclass(frozen=True)
class Study:
    """A question over config groups: `factors`, each with its levels, laid out by a `design`.

    A level is a value of the group or key that its factor is called after, or a name with the
    overrides that it stands for. `seeds`: those of every arm, or how many, from 0 on. `metric`
    decides; `baseline` is the arm that the others are compared to, None for the one that the design
    starts from; `orders`: how many an attribution of more than seven changes draws. Differences
    within `margin` of 0, in the metric's unit, are as good as none. `until`: all `seeds` are run,
    or from 0 on as many, `max_seeds` at most, as an arm needs to be decided. Which designs and
    metrics there are, mmclf.studies and mmclf.evaluation know.
    """

    question: Text
    design: Text
    factors: dict[str, Levels]
    seeds: Seeds = 5
    metric: Text = "test/f1_samples"
    baseline: str | None = None
    orders: Count = 32
    margin: Margin = 0.005
    until: Literal["fixed", "decided"] = "fixed"
    max_seeds: MostSeeds = 10

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds, each once; of a study that stops when decided those that an arm may get."""
        if self.until == "decided":
            return tuple(range(self.max_seeds))
        seeds = range(self.seeds) if isinstance(self.seeds, int) else self.seeds
        return tuple(dict.fromkeys(seeds))
