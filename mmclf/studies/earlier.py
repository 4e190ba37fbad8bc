"""How often a test set has been looked at before: what earlier runs in the tracking store scored.

A p-value is corrected for the comparisons of its study alone. Who has chosen by the same test set
before, in other studies, has compared more often than it says.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from mmclf.pipeline.run_naming import EXECUTION, EXECUTION_PREFIXES
from mmclf.plots.words import counted
from mmclf.storage.tracking import TrackedRun, Tracker

DIGEST, STUDY = "mmclf.data_digest", "mmclf.study"
# What says nothing of what a run scored: where and how it ran, and which seed.
NOT_THE_CONFIGURATION = {*EXECUTION, "seed", "cache", "data.root", "experiment"}


class HeldOut(NamedTuple):
    """Which test set: a digest of the data, and the seed that divides them."""

    data: str
    seed: str


@dataclass(frozen=True)
class Earlier:
    """How many different configurations were scored on a test set, and in how many studies."""

    configurations: int
    studies: int

    def words(self) -> str:
        """As `12 configurations, in 2 studies`."""
        count = counted(self.configurations, "configuration")
        return f"{count}, in {self.studies} stud{'y' if self.studies == 1 else 'ies'}"


def held_out_of(run: TrackedRun) -> HeldOut | None:
    """The test set of a tracked run; None for one that does not say."""
    if DIGEST not in run.tags or "split.test_seed" not in run.params:
        return None
    return HeldOut(run.tags[DIGEST], run.params["split.test_seed"])


def earlier(
    runs: Collection[TrackedRun], test_set: HeldOut, own: TrackedRun | None = None
) -> Earlier:
    """What was scored on this test set, of these runs of a tracking store.

    `own`: a study's parent run, which and whose children do not count, nor what began after it, nor
    configurations that the study has itself. Configurations that differ in the seed are one.
    """
    scored = [run for run in runs if run.status == "FINISHED" and held_out_of(run) == test_set]
    if own is None:
        before, excluded = scored, set()
    else:
        excluded = {_configuration(run) for run in scored if run.parent == own.id}
        others = (run for run in scored if run.parent != own.id)
        before = [run for run in others if run.started_ms < own.started_ms]
    return Earlier(
        len({_configuration(run) for run in before} - excluded),
        len({run.parent for run in before if STUDY in run.tags}),
    )


def earlier_notes(tracker: Tracker, own: TrackedRun, finished: Collection[TrackedRun]) -> list[str]:
    """What a reader of a study is told of it, unless nothing was scored before.

    `own` is the study's parent run, of whose `finished` runs the test set is.
    """
    test_set = next(filter(None, map(held_out_of, finished)), None)
    if test_set is None:
        return []
    runs = tracker.tagged(DIGEST, test_set.data, before_ms=own.started_ms)
    # Its own runs have been read.
    others = [run for run in runs if run.parent != own.id]
    uses = earlier([*others, *finished], test_set, own)
    if uses.configurations == 0:
        return []
    return [
        f"the same test samples have scored {uses.words()}, before this study began: p and "
        "intervals allow for its own comparisons alone, not for what was chosen by those"
    ]


def _configuration(run: TrackedRun) -> frozenset[tuple[str, str]]:
    return frozenset(
        (key, value)
        for key, value in run.params.items()
        if key not in NOT_THE_CONFIGURATION and not key.startswith(EXECUTION_PREFIXES)
    )
