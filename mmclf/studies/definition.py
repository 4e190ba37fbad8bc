"""What a study was asked, as its parent run keeps it: the artifact `study.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mmclf.errors import InputError
from mmclf.evaluation.metrics import DecidingMetric, deciding_metric
from mmclf.storage.file_limits import RECORD_BYTES, check_size
from mmclf.storage.store.inner_files import is_inner_name
from mmclf.studies.design_kinds import Arm, DesignKind, Effect, design_kind, differences
from mmclf.studies.statistics.stopping import StoppingRule

FILE = "study.json"


@dataclass(frozen=True)
class Plan:
    """When a study that stops when decided is looked at: after how many `seeds` of an arm.

    `levels`: of p at each look, for the first difference that is called; `equality_levels`: of p of
    the distance from the margin.
    """

    seeds: tuple[int, ...]
    levels: tuple[float, ...]
    equality_levels: tuple[float, ...]


@dataclass(frozen=True)
class Definition:
    """A study's question, its arms and the effects that it asks for, and the command it ran by.

    `factors` holds the names of each one's levels; `data` is a digest of ids, captions and labels;
    differences within `margin` of 0 are as good as none. `plan`: of a study that stops when
    decided, whose `seeds` are all that an arm may get.
    """

    name: str
    question: str
    design: str
    metric: str
    baseline: str
    seeds: tuple[int, ...]
    factors: dict[str, list[str]]
    arms: tuple[Arm, ...]
    effects: tuple[Effect, ...]
    command: str
    data: str
    margin: float = 0.005
    plan: Plan | None = None

    @property
    def kind(self) -> DesignKind:
        """What its design is."""
        return design_kind(self.design)

    @property
    def deciding(self) -> DecidingMetric:
        """What its metric is."""
        return deciding_metric(self.metric)

    @property
    def unit(self) -> str:
        """What differences of its metric are written in: hundredths, as `F1 points`."""
        return f"{self.deciding.metric.short} points"

    @property
    def gain(self) -> tuple[Arm, Arm] | None:
        """The arms between which the gain lies that the effects add up to; None if they do not."""
        return (self.arms[0], self.arms[-1]) if self.kind.adds_up else None

    @property
    def asks_effects(self) -> bool:
        """Whether its effects are more than each arm's difference to the baseline."""
        own = [effect.weights for effect in differences(self.arms, self.baseline, (), 0)]
        return self.kind.adds_up or [effect.weights for effect in self.effects] != own

    @property
    def compared(self) -> tuple[Effect, ...]:
        """The effects, and last the gain that they add up to from the baseline, where they do."""
        if self.gain is None or self.gain[0].name != self.baseline:
            return self.effects
        start, end = (arm.name for arm in self.gain)
        return (*self.effects, Effect(f"{start} to {end}", {end: 1.0, start: -1.0}))

    def stopping_rule(self, looks: tuple[int, ...]) -> StoppingRule:
        """By which levels the effects are decided at these looks."""
        comparisons = max(len(self.compared), 1)
        return StoppingRule(looks, comparisons, self.margin, self.deciding.metric.sign)

    def write(self, folder: Path) -> None:
        """Write it to `folder`."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")


def read_definition(path: Path) -> Definition:
    """The definition in a file; raises InputError if it is damaged, or asks for what is unknown."""
    check_size(path, RECORD_BYTES, "a definition")
    try:
        definition: Definition = TypeAdapter(Definition).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"{path} cannot be read as a study's definition ({error}): run the study again"
        ) from error
    if not is_inner_name(definition.name):
        # A report is written to the folder of this name.
        raise InputError(
            f"{path}: found the study's name {definition.name!r}, expected one that can be a "
            "folder's below `studies`: run the study again"
        )
    names = [arm.name for arm in definition.arms]
    named = {definition.baseline, *(arm for of in definition.effects for arm in of.weights)}
    if len(set(names)) < len(names) or not named <= set(names) or not definition.seeds:
        raise InputError(
            f"{path} is damaged: the baseline and the effects must be of the arms, each arm its "
            "own, and there must be seeds: run the study again"
        )
    design_kind(definition.design)
    deciding_metric(definition.metric)
    return definition
