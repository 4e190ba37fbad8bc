"""What a study was asked, as its parent run keeps it: the artifact `study.json`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mmclf.errors import InputError
from mmclf.evaluation.metrics import DecidingMetric, deciding_metric
from mmclf.file_limits import RECORD_BYTES, check_size
from mmclf.storage.store.inner_files import is_inner_name
from mmclf.studies.design_kinds import Arm, DesignKind, Effect, design_kind

FILE = "study.json"


@dataclass(frozen=True)
class Definition:
    """A study's question, its arms and the effects that it asks for, and the command it ran by.

    `factors` holds the names of each one's levels; `data` is a digest of ids, captions and labels.
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
