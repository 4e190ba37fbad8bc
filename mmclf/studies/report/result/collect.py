"""A study's result, out of its tracked runs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import FILE, Definition, read_definition
from mmclf.studies.earlier import earlier_notes
from mmclf.studies.looks import Looks, fetch_looks
from mmclf.studies.report.result.contrasts import baseline_differences, contrast, share_kept
from mmclf.studies.report.result.effects import asked_effects
from mmclf.studies.report.result.notes import effect_notes, study_notes
from mmclf.studies.report.result.read_scores import StudyScores, read_scores
from mmclf.studies.report.result.stopped import called, effect_of, given_seeds, look_notes
from mmclf.studies.report.result.study_result import TIME, ArmResult, StudyResult
from mmclf.studies.run_key import SEED_TAG, RunKey, run_key
from mmclf.studies.statistics.ratios import Ratio, geometric_ratio


def collect(
    tracker: Tracker,
    parent: TrackedRun,
    *,
    metric: str | None = None,
    most_runs: int | None = None,
    deciding_alone: bool = False,
) -> StudyResult:
    """The result of the study whose parent run this is; by another `metric` than its own if given.

    Of its first seeds alone, two at least, where all would be more than `most_runs` runs; with
    `deciding_alone` by no other metric beside.
    A finished run whose artifacts are lost, or disagree with what was tracked, counts as failed.
    Raises InputError if the run is no study's, or artifacts are out of reach.
    """
    definition = fetch_definition(tracker, parent)
    if metric is not None:
        definition = replace(definition, metric=metric)
    if most_runs is not None:
        count = max(2, most_runs // len(definition.arms))
        definition = replace(definition, seeds=definition.seeds[:count])
        by_seed = [tracker.children(parent.id, {SEED_TAG: str(of)}) for of in definition.seeds]
        read = [run for of in by_seed for run in of]
    else:
        read = tracker.children(parent.id)
    runs = [run for run in reversed(read) if SEED_TAG in run.tags]
    attempts = {run_key(run): run for run in runs}
    finished = {run_key(run): run for run in runs if run.status == "FINISHED"}
    looks = fetch_looks(tracker, parent)
    return study_result(
        tracker, definition, parent, attempts | finished, looks, deciding_alone=deciding_alone
    )


def latest_parent(tracker: Tracker, study: str) -> TrackedRun | None:
    """The parent run of a study by this name that was run last, be it begun before others."""
    parents = tracker.tagged("mmclf.study", study, also="mmclf.study_key")
    return max(parents, key=_last_ns, default=None)


def _last_ns(parent: TrackedRun) -> int:
    return int(parent.tags.get("mmclf.study_last_ns", parent.started_ms * 1_000_000))


def study_result(
    tracker: Tracker,
    definition: Definition,
    parent: TrackedRun,
    runs: Mapping[RunKey, TrackedRun],
    looks: Looks | None = None,
    *,
    deciding_alone: bool = False,
) -> StudyResult:
    """The result of `runs`, of which each is finished or else the last attempt.

    `looks`: of a study that stops when decided, or that was begun so. `deciding_alone`: as in
    `collect`.
    """
    of_looks = looks if definition.plan is not None else None
    seeds = given_seeds(definition, of_looks)
    attempts = {key: run for key, run in runs.items() if key.seed in seeds.get(key.arm, ())}
    finished = {key: run for key, run in attempts.items() if run.status == "FINISHED"}
    scores = read_scores(tracker, definition, finished, deciding_alone=deciding_alone)
    attempts |= {key: _as_failed(finished.pop(key), of) for key, of in scores.errors.items()}
    arms = _arms(definition, attempts, scores, of_looks)
    asked = asked_effects(definition, scores.deciding, of_looks)
    if asked.whole is not None:
        # What such a study asks for is the gain and its parts, not each of its many arms.
        arms[-1] = replace(arms[-1], difference=asked.whole)
    notes = [*look_notes(definition, looks), *scores.notes]
    notes += study_notes(definition, arms, list(finished.values()))
    most = max(map(len, seeds.values()))
    return StudyResult(
        definition,
        parent,
        tuple(arms),
        asked.effects,
        (
            *notes,
            *effect_notes(definition, asked.effects, most),
            *earlier_notes(tracker, parent, list(finished.values())),
        ),
        asked.ends,
        share_kept(definition, scores.deciding),
        of_looks,
    )


def fetch_definition(tracker: Tracker, parent: TrackedRun) -> Definition:
    """What the study whose parent run this is was asked."""
    with tempfile.TemporaryDirectory() as folder:
        return read_definition(tracker.fetch(parent, FILE, Path(folder)))


def _as_failed(run: TrackedRun, error: str) -> TrackedRun:
    """A finished run whose artifacts are lost, as the failed one that it amounts to."""
    return replace(run, status="FAILED", tags={**run.tags, "mmclf.error": error})


def _arms(
    definition: Definition,
    attempts: Mapping[RunKey, TrackedRun],
    scores: StudyScores,
    looks: Looks | None,
) -> list[ArmResult]:
    """The arms, each with its differences to the baseline, and how its time compares."""
    sign = definition.deciding.metric.sign
    differences = baseline_differences(definition, scores.deciding, sign)
    beside = {key: baseline_differences(definition, of, sign) for key, of in scores.beside.items()}
    given, arms = given_seeds(definition, looks), []
    for index, arm in enumerate(definition.arms):
        by_seed = {seed: attempts.get(RunKey(arm.name, seed)) for seed in given[arm.name]}
        # What still runs has not failed.
        ended = [run for run in by_seed.values() if run is not None and run.status != "RUNNING"]
        # Looks are at the deciding metric alone, and call none of these.
        others = {key: called(of[index], looks, None) for key, of in beside.items()}
        arms.append(
            ArmResult(
                name=arm.name,
                levels=arm.levels,
                runs=tuple(run for run in ended if run.status == "FINISHED"),
                failed=tuple(run for run in ended if run.status != "FINISHED"),
                missing=tuple(seed for seed, run in by_seed.items() if run not in ended),
                score=contrast(definition, scores.deciding, {arm.name: 1.0}),
                difference=called(differences[index], looks, effect_of(definition, arm.name)),
                beside={key: of for key, of in others.items() if of is not None},
                time_ratio=_time_ratio(definition, attempts, arm.name),
            )
        )
    return arms


def _time_ratio(
    definition: Definition, attempts: Mapping[RunKey, TrackedRun], arm: str
) -> Ratio | None:
    """An arm's time over the baseline's, of the seeds that both have; None for the baseline."""
    if arm == definition.baseline:
        return None
    times = []
    for seed in definition.seeds:
        pair = [attempts.get(RunKey(name, seed)) for name in (arm, definition.baseline)]
        seconds = [
            run.metrics.get(TIME, 0.0) if run is not None and run.status == "FINISHED" else 0.0
            for run in pair
        ]
        if min(seconds) > 0:
            times.append(seconds)
    if not times:
        return None
    values, reference = np.asarray(times).T
    return geometric_ratio(values, reference)
