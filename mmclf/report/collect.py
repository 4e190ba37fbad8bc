"""A study's findings, out of its tracked runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import InputError
from mmclf.report.findings import ArmFindings, Difference, EffectFindings, StudyFindings
from mmclf.report.predictions import FITTED, Labels, read_predictions
from mmclf.study.definition import FILE, Definition, read_definition
from mmclf.study.designs import DEFAULT, IMPROVED, Arm
from mmclf.study.statistics.bootstrap import f1, resampled_f1
from mmclf.study.statistics.estimates import Estimate, estimate, holm
from mmclf.threshold_search import Average
from mmclf.tracking import TrackedRun, Tracker

RESAMPLES = 2000
Floats = NDArray[np.float64]
Place = tuple[str, int]  # an arm's name and a seed
CONDITIONS = {
    "mmclf.hardware": "hardware",
    "mmclf.cold_hardware": "hardware, which their running times are of",
    "mmclf.versions": "versions",
    "mmclf.commit": "commits",
    "mmclf.data_digest": "data",
}


@dataclass(frozen=True)
class Scores:
    """The deciding metric of runs on one and the same N test samples.

    `values`: by place; `resampled`: on B resamples of the samples (B,).
    """

    values: Mapping[Place, float]
    resampled: Mapping[Place, Floats]
    samples: int


def collect(tracker: Tracker, parent: TrackedRun) -> StudyFindings:
    """The findings of the study whose parent run this is.

    Raises InputError if the run is no study's, or an artifact disagrees with a tracked metric.
    """
    definition = fetch_definition(tracker, parent)
    runs = [run for run in reversed(tracker.children(parent.id)) if "mmclf.seed" in run.tags]
    tried = {place_of(run): run for run in runs}
    done = {place_of(run): run for run in runs if run.status == "FINISHED"}
    return findings_of(tracker, definition, parent, tried | done)


def findings_of(
    tracker: Tracker, definition: Definition, parent: TrackedRun, runs: Mapping[Place, TrackedRun]
) -> StudyFindings:
    """The findings of `runs`, at each place the finished one, or else the last attempt."""
    places = {(arm.name, seed) for arm in definition.arms for seed in definition.seeds}
    tried = {place: run for place, run in runs.items() if place in places}
    done = {place: run for place, run in tried.items() if run.status == "FINISHED"}
    scores, notes = _scores(tracker, definition, done)
    plain = [_arm(definition, arm, tried, scores) for arm in definition.arms]
    shown = _corrected([_difference(definition, scores, arm.name) for arm in definition.arms])
    pairs = zip(plain, shown, strict=True)
    arms = [replace(arm, difference=difference) for arm, difference in pairs]
    estimates = [_contrast(definition, scores, effect.weights) for effect in definition.effects]
    asked = _corrected([*estimates, _whole(definition, scores)])
    effects = [
        EffectFindings(effect.name, effect.weights, difference)
        for effect, difference in zip(definition.effects, asked, strict=False)
    ]
    if asked[-1] is not None:
        # What such a study asks for is the whole and its parts, not each of its many arms.
        arms = [replace(a, difference=asked[-1]) if a.name == IMPROVED else a for a in arms]
    notes = [*notes, *_notes(definition, arms, list(done.values()))]
    return StudyFindings(definition, parent, tuple(arms), tuple(effects), tuple(notes))


def fetch_definition(tracker: Tracker, parent: TrackedRun) -> Definition:
    """What the study whose parent run this is was asked."""
    with tempfile.TemporaryDirectory() as folder:
        return read_definition(tracker.fetch(parent, FILE, Path(folder)))


def place_of(run: TrackedRun) -> Place:
    """The arm and the seed of a study's run."""
    return run.tags["mmclf.arm"], int(run.tags["mmclf.seed"])


def _scores(
    tracker: Tracker, definition: Definition, done: Mapping[Place, TrackedRun]
) -> tuple[Scores, list[str]]:
    """The scores of the runs that share the test set of the first, and a note of the others."""
    average, rule = _kind(definition.metric)
    sets: dict[Place, Labels] = {}
    first: tuple[NDArray[np.str_], Labels] | None = None
    others = []
    with tempfile.TemporaryDirectory() as folder:
        for place, run in done.items():
            target = Path(folder) / run.id
            found = read_predictions(tracker, run, target, with_val=rule == FITTED)
            if first is None:
                first = found.test.ids, found.test.labels
            if not all(map(np.array_equal, first, (found.test.ids, found.test.labels))):
                others.append(f"{place[0]} (seed {place[1]})")
                continue
            sets[place] = found.sets(rule)
    if first is None:
        return Scores({}, {}, 0), []
    labels, predicted = first[1], np.stack(list(sets.values()))
    values = dict(zip(sets, f1(labels, predicted, average).tolist(), strict=True))
    _check_tracked(definition.metric, values, done)
    drawn = resampled_f1(labels, predicted, average, resamples=RESAMPLES, seed=0)
    resampled = dict(zip(sets, drawn.T, strict=True))
    notes = [f"not compared, as their test set is another one: {', '.join(others)}"] * bool(others)
    return Scores(values, resampled, len(labels)), notes


def _kind(metric: str) -> tuple[Average, str]:
    """The average of an F1 metric, and the rule that its label sets follow."""
    average, _, rule = metric.removeprefix("test/f1_").partition("_")
    return cast("Average", average), rule


def _check_tracked(
    metric: str, values: Mapping[Place, float], runs: Mapping[Place, TrackedRun]
) -> None:
    """Raise InputError unless the artifacts say what was tracked."""
    for place, value in values.items():
        tracked = runs[place].metrics.get(metric)
        if tracked is None or abs(tracked - value) > 1e-9:
            raise InputError(
                f"run {runs[place].id}: {metric} is tracked as {tracked}, but its predictions give "
                f"{value}: its artifacts have changed since; do the run again"
            )


def _arm(
    definition: Definition, arm: Arm, tried: Mapping[Place, TrackedRun], scores: Scores
) -> ArmFindings:
    runs = [tried.get((arm.name, seed)) for seed in definition.seeds]
    pairs = zip(definition.seeds, runs, strict=True)
    return ArmFindings(
        name=arm.name,
        levels=arm.levels,
        runs=tuple(run for run in runs if run is not None and run.status == "FINISHED"),
        failed=tuple(run for run in runs if run is not None and run.status != "FINISHED"),
        missing=tuple(seed for seed, run in pairs if run is None),
        score=_contrast(definition, scores, {arm.name: 1.0}),
        difference=None,
    )


def _difference(definition: Definition, scores: Scores, arm: str) -> Estimate | None:
    """The difference of an arm to the baseline; None for the baseline."""
    if arm == definition.baseline:
        return None
    return _contrast(definition, scores, {arm: 1.0, definition.baseline: -1.0})


def _whole(definition: Definition, scores: Scores) -> Estimate | None:
    """What all changes of a ladder or an attribution come to; None for other designs."""
    adds_up = definition.design in ("ladder", "attribution") and definition.baseline == DEFAULT
    return _difference(definition, scores, IMPROVED) if adds_up else None


def _contrast(
    definition: Definition, scores: Scores, weights: Mapping[str, float]
) -> Estimate | None:
    """The weighted sum of arms' scores, paired by seed and sample; None without common seeds."""
    seeds = [s for s in definition.seeds if all((arm, s) in scores.values for arm in weights)]
    if not seeds:
        return None
    values = np.zeros(len(seeds))
    resampled = np.zeros((RESAMPLES, len(seeds)))
    for column, seed in enumerate(seeds):
        for arm, weight in weights.items():
            values[column] += weight * scores.values[arm, seed]
            resampled[:, column] += weight * scores.resampled[arm, seed]
    return estimate(values, resampled, scores.samples)


def _corrected(estimates: Sequence[Estimate | None]) -> list[Difference | None]:
    """The estimates with their p corrected over all of them."""
    known = [one for one in estimates if one is not None]
    corrected = iter(holm([one.p for one in known]))
    return [None if one is None else Difference(one, next(corrected)) for one in estimates]


def _notes(
    definition: Definition, arms: Sequence[ArmFindings], done: Sequence[TrackedRun]
) -> Iterator[str]:
    if len(definition.seeds) == 1:
        yield (
            "one seed alone: the intervals hold the test set's share of the uncertainty, and "
            "nothing of what another seed would give"
        )
    unfinished = sum(len(arm.failed) + len(arm.missing) for arm in arms)
    if unfinished:
        yield (
            f"{unfinished} of {len(arms) * len(definition.seeds)} runs have not finished: arms are "
            "compared on the seeds that they share; the same command runs what is missing"
        )
    for tag, name in CONDITIONS.items():
        found = sorted({run.tags[tag] for run in done if tag in run.tags})
        if len(found) > 1:
            yield f"the runs are of different {name}: {'; '.join(found)}"
