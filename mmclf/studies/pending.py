"""Which runs of a study are still to be done, as the overrides of their jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from mmclf.config.study_schema import Study
from mmclf.errors import InputError
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.arms import job_lines
from mmclf.studies.design import design_of
from mmclf.studies.factors import quoted
from mmclf.studies.looks import fetch_looks
from mmclf.studies.run_key import run_key


def pending_jobs(
    node: Mapping[str, Any], tracking: Mapping[str, Any], output_dir: str, arguments: Sequence[str]
) -> list[list[str]]:
    """The overrides of each run that a study still lacks; `node` and `tracking` of its config.

    Those of the run `tracking.parent` that have finished are done; of a study that stops when
    decided it keeps the round that is to be run. All arms of a seed come before the next seed, so
    that a study that is stopped half way has compared all of them.

    Raises InputError for a study that stops when decided without the looks at it.
    """
    study: Study = TypeAdapter(Study).validate_python(node)
    design = design_of(study)
    done: set[tuple[str, int]] = set()
    seeds = dict.fromkeys((arm.name for arm in design.arms), study.seed_list)
    if tracking["parent"] is not None:
        address = tracking["uri"], tracking["experiment"], Path(output_dir)
        tracker = Tracker(*address, create=False)
        done = finished(tracker.children(tracking["parent"]))
        if study.until == "decided":
            seeds = _of_round(tracker, tracking["parent"])
    return [
        [*arguments, *job_lines(arm, seed), f"++tracking.arm={quoted(arm.name)}"]
        for seed in study.seed_list
        for arm in design.arms
        if seed in seeds.get(arm.name, ()) and (arm.name, seed) not in done
    ]


def _of_round(tracker: Tracker, parent: str) -> dict[str, tuple[int, ...]]:
    """The seeds of each arm that the present round runs."""
    looks = fetch_looks(tracker, *tracker.get([parent]))
    if looks is None:
        raise InputError(f"the run {parent} has no looks.json, which says what its round is")
    return {arm: tuple(range(seeds)) for arm, seeds in looks.round.items()}


def finished(runs: Collection[TrackedRun]) -> set[tuple[str, int]]:
    """The arm and the seed of each run that has finished."""
    return {(*run_key(run),) for run in runs if run.status == "FINISHED"}
