"""The looks at a study that stops when decided: its plan and what each look called, `looks.json`.

The parent run keeps them, so that what is called stays so, whatever is run after it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from mmclf.errors import ArtifactError, InputError
from mmclf.storage.tracking import RunLog, TrackedRun, Tracker
from mmclf.studies.definition import Definition
from mmclf.studies.statistics.stopping import Call

# Two copies, written one after the other: whoever is killed while writing leaves one of them whole.
FILES = ("looks.json", "looks_copy.json")
# How many looks a parent run keeps.
LOOKS_TAG = "mmclf.study_looks"

Why = Literal["decided", "futile", "last look", "goes on", "not looked at"]


@dataclass(frozen=True)
class LookPlan:
    """What has to stay as it was for the levels to hold: looks at so many seeds, and at what."""

    looks: tuple[int, ...]
    metric: str
    baseline: str
    margin: float


@dataclass(frozen=True)
class Judged:
    """What a look found of an effect, and what it called it. `p` is not corrected."""

    effect: str
    value: float
    p: float
    call: Call


@dataclass(frozen=True)
class Look:
    """A look at effects after so many seeds, and the levels of p that were left to it.

    `level`: for the first difference called; `equality_level`: of the distance from the margin.
    """

    seeds: int
    level: float
    equality_level: float
    judged: tuple[Judged, ...]


@dataclass(frozen=True)
class EarlierPlan:
    """A plan that was changed after a look, with its looks."""

    plan: LookPlan
    looks: tuple[Look, ...]


@dataclass(frozen=True)
class Looks:
    """The plan of a study and the looks so far, in the order in which they were.

    `given`: how many seeds, from 0 on, each arm has been given. `round`: what the present round
    runs, unless it is there: of each arm so many seeds. `runs_before`: how many runs had finished
    before there was a plan. `earlier`: the plans before this one.
    """

    plan: LookPlan
    looks: tuple[Look, ...] = ()
    given: Mapping[str, int] = field(default_factory=dict)
    round: Mapping[str, int] = field(default_factory=dict)
    runs_before: int = 0
    earlier: tuple[EarlierPlan, ...] = ()

    def call(self, effect: str) -> Call:
        """What has been called of an effect so far."""
        return next((judged.call for _, judged in self._of(effect)), "open")

    def last_look(self, effect: str) -> int:
        """After how many seeds an effect was looked at last; 0 if it was not yet."""
        return next((look.seeds for look, _ in self._of(effect)), 0)

    def next_look(self, effect: str) -> int | None:
        """After how many seeds an effect is looked at next; None if it is not."""
        if self.call(effect) != "open":
            return None
        since = self.last_look(effect)
        return next((seeds for seeds in self.plan.looks if seeds > since), None)

    def why(self, effect: str) -> Why:
        """Why an effect gets no more seeds, or that it goes on."""
        call = self.call(effect)
        if call == "futile":
            return "futile"
        if call != "open":
            return "decided"
        if self.next_look(effect) is None:
            return "last look"
        return "goes on" if self.last_look(effect) else "not looked at"

    def _of(self, effect: str) -> Iterator[tuple[Look, Judged]]:
        """The looks at an effect, the last one first."""
        for look in reversed(self.looks):
            for judged in look.judged:
                if judged.effect == effect:
                    yield look, judged

    def seeds(self, arm: str, seeds: Sequence[int]) -> tuple[int, ...]:
        """Of these seeds those that an arm has been given."""
        return tuple(seeds)[: self.given.get(arm, 0)]

    def write(self, folder: Path, log: RunLog) -> None:
        """Keep it with the parent run; `folder` is an empty one."""
        log.tags({LOOKS_TAG: str(len(self.looks))})
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"
        for name in FILES:
            (folder / name).write_text(text, encoding="utf-8")
            log.artifacts(folder)


def planned_looks(definition: Definition) -> LookPlan:
    """The plan of a study that stops when decided, as its definition has it."""
    assert definition.plan is not None
    return LookPlan(
        definition.plan.seeds, definition.metric, definition.baseline, definition.margin
    )


def with_plan(looks: Looks, plan: LookPlan) -> Looks:
    """The looks under a plan that may be another one.

    If a look has been held, another plan is kept beside the earlier one. With other looks alone,
    what was called stays so, and what was given up goes on; with another question nothing does.
    """
    if looks.plan == plan:
        return looks
    earlier = looks.earlier
    if looks.looks:
        earlier += (EarlierPlan(looks.plan, looks.looks),)
    same_question = replace(looks.plan, looks=plan.looks) == plan
    held = tuple(map(_reopened, looks.looks)) if same_question else ()
    return replace(looks, plan=plan, looks=held, earlier=earlier)


def _reopened(look: Look) -> Look:
    """The look without having given anything up."""
    judged = (
        replace(effect, call="open") if effect.call == "futile" else effect
        for effect in look.judged
    )
    return replace(look, judged=tuple(judged))


def fetch_looks(tracker: Tracker, parent: TrackedRun) -> Looks | None:
    """The looks that a parent run keeps; None if it keeps none.

    Raises InputError if both copies are damaged, or out of reach. A single one that is damaged is
    the first that ever was written, before any look.
    """
    if LOOKS_TAG not in parent.tags:
        return None
    problems = []
    for name in FILES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                return _read(tracker.fetch(parent, name, Path(folder)))
            except ArtifactError:
                continue
            except ValidationError as error:
                problems.append(error)
    if len(problems) == len(FILES):
        raise InputError(
            f"{' and '.join(FILES)} of the run {parent.id} cannot be read as the looks at a study "
            f"({problems[0]}): run the study with another tracking.experiment"
        )
    return None


def _read(path: Path) -> Looks:
    looks: Looks = TypeAdapter(Looks).validate_json(path.read_bytes())
    return looks
