"""A study's findings, out of its tracked runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import ArtifactError
from mmclf.evaluation.threshold_search import Average
from mmclf.plots.words import counted
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import FILE, Definition, read_definition
from mmclf.studies.design import ADDING_UP, DEFAULT, IMPROVED, Arm
from mmclf.studies.report.common_samples import Decided, Place, named, on_common_samples
from mmclf.studies.report.predictions import read_predictions
from mmclf.studies.report.results import ArmResult, Difference, EffectResult, StudyResult
from mmclf.studies.statistics.bootstrap import f1, resampled_f1
from mmclf.studies.statistics.estimates import Estimate, estimate, holm

RESAMPLES = 2000
DIGITS = 12  # of a sum of scores
Floats = NDArray[np.float64]
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


def collect(tracker: Tracker, parent: TrackedRun) -> StudyResult:
    """The findings of the study whose parent run this is.

    A finished run whose artifacts are lost, or disagree with what was tracked, counts as failed.
    Raises InputError if the run is no study's, or artifacts are out of reach.
    """
    definition = fetch_definition(tracker, parent)
    runs = [run for run in reversed(tracker.children(parent.id)) if "mmclf.seed" in run.tags]
    tried = {place_of(run): run for run in runs}
    done = {place_of(run): run for run in runs if run.status == "FINISHED"}
    return study_result(tracker, definition, parent, tried | done)


def latest_parent(tracker: Tracker, study: str) -> TrackedRun | None:
    """The parent run of a study by this name that was run last, be it begun before others."""
    found = [run for run in tracker.tagged("mmclf.study", study) if "mmclf.study_key" in run.tags]
    return max(found, key=_last_ns, default=None)


def _last_ns(parent: TrackedRun) -> int:
    return int(parent.tags.get("mmclf.study_last_ns", parent.started_ms * 1_000_000))


def study_result(
    tracker: Tracker, definition: Definition, parent: TrackedRun, runs: Mapping[Place, TrackedRun]
) -> StudyResult:
    """The findings of `runs`, at each place the finished one, or else the last attempt."""
    places = {(arm.name, seed) for arm in definition.arms for seed in definition.seeds}
    tried = {place: run for place, run in runs.items() if place in places}
    done = {place: run for place, run in tried.items() if run.status == "FINISHED"}
    scores, broken, notes = _scores(tracker, definition, done)
    tried |= {place: _as_failed(done.pop(place), error) for place, error in broken.items()}
    plain = [_arm(definition, arm, tried, scores) for arm in definition.arms]
    shown = _corrected([_difference(definition, scores, arm.name) for arm in definition.arms])
    pairs = zip(plain, shown, strict=True)
    arms = [replace(arm, difference=difference) for arm, difference in pairs]
    estimates = [
        _contrast(definition, scores, effect.weights, effect.draws) for effect in definition.effects
    ]
    asked = _corrected([*estimates, _whole(definition, scores)])
    effects = [
        EffectResult(effect.name, effect.weights, difference)
        for effect, difference in zip(definition.effects, asked, strict=False)
    ]
    if asked[-1] is not None:
        # What such a study asks for is the whole and its parts, not each of its many arms.
        arms = [replace(a, difference=asked[-1]) if a.name == IMPROVED else a for a in arms]
    notes = [*notes, *_notes(definition, arms, list(done.values()))]
    return StudyResult(definition, parent, tuple(arms), tuple(effects), tuple(notes))


def fetch_definition(tracker: Tracker, parent: TrackedRun) -> Definition:
    """What the study whose parent run this is was asked."""
    with tempfile.TemporaryDirectory() as folder:
        return read_definition(tracker.fetch(parent, FILE, Path(folder)))


def place_of(run: TrackedRun) -> Place:
    """The arm and the seed of a study's run."""
    return run.tags["mmclf.arm"], int(run.tags["mmclf.seed"])


def _as_failed(run: TrackedRun, error: str) -> TrackedRun:
    """A finished run whose artifacts are lost, as the failed one that it comes to."""
    return replace(run, status="FAILED", tags={**run.tags, "mmclf.error": error})


def _scores(
    tracker: Tracker, definition: Definition, done: Mapping[Place, TrackedRun]
) -> tuple[Scores, dict[Place, str], list[str]]:
    """The scores of the runs, what is wrong with those that have none, and notes on test sets."""
    average, rule = _kind(definition.metric)
    tested: dict[Place, Decided] = {}
    broken: dict[Place, str] = {}
    for place, run in done.items():
        try:
            tested[place] = _tested(tracker, run, definition.metric, average, rule)
        except ArtifactError as error:
            broken[place] = str(error)
    notes = [f"{named([place])}: {error}" for place, error in broken.items()]
    if not tested:
        return Scores({}, {}, 0), broken, notes
    baseline = [one for (arm, _), one in tested.items() if arm == definition.baseline]
    paired, more = on_common_samples(tested, (baseline or list(tested.values()))[0])
    labels = next(iter(paired.values())).labels
    predicted = np.stack([one.predicted for one in paired.values()])
    values = dict(zip(paired, f1(labels, predicted, average).tolist(), strict=True))
    drawn = resampled_f1(labels, predicted, average, resamples=RESAMPLES, seed=0)
    resampled = dict(zip(paired, drawn.T, strict=True))
    return Scores(values, resampled, len(labels)), broken, [*notes, *more]


def _tested(tracker: Tracker, run: TrackedRun, metric: str, average: Average, rule: str) -> Decided:
    """What a run made of its test samples; ArtifactError unless that is what was tracked."""
    with tempfile.TemporaryDirectory() as folder:
        # Those of val too, which the page draws.
        found = read_predictions(tracker, run, Path(folder), with_val=True)
    predicted = found.sets(rule)
    value = float(f1(found.test.labels, predicted[None], average)[0])
    tracked = run.metrics.get(metric)
    if tracked is None or abs(tracked - value) > 1e-9:
        raise ArtifactError(
            f"run {run.id}: {metric} is tracked as {tracked}, but its predictions give {value}: "
            "its artifacts have changed since"
        )
    return Decided(found.test.ids, found.test.labels, predicted)


def _kind(metric: str) -> tuple[Average, str]:
    """The average of an F1 metric, and the rule that its label sets follow."""
    average, _, rule = metric.removeprefix("test/f1_").partition("_")
    return cast("Average", average), rule


def _arm(
    definition: Definition, arm: Arm, tried: Mapping[Place, TrackedRun], scores: Scores
) -> ArmResult:
    attempts = [tried.get((arm.name, seed)) for seed in definition.seeds]
    # What still runs has not failed.
    runs = [None if run is None or run.status == "RUNNING" else run for run in attempts]
    pairs = zip(definition.seeds, runs, strict=True)
    return ArmResult(
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
    adds_up = definition.design in ADDING_UP and definition.baseline == DEFAULT
    return _difference(definition, scores, IMPROVED) if adds_up else None


def _contrast(
    definition: Definition,
    scores: Scores,
    weights: Mapping[str, float],
    draws: Sequence[Mapping[str, float]] = (),
) -> Estimate | None:
    """The weighted sum of arms' scores, paired by seed and sample; None without common seeds.

    `draws`: the weights of each of the random draws that `weights` is the mean of.
    """
    seeds = [s for s in definition.seeds if all((arm, s) in scores.values for arm in weights)]
    if not seeds:
        return None
    values = np.zeros(len(seeds))
    resampled = np.zeros((RESAMPLES, len(seeds)))
    for column, seed in enumerate(seeds):
        for arm, weight in weights.items():
            values[column] += weight * scores.values[arm, seed]
            resampled[:, column] += weight * scores.resampled[arm, seed]
    by_draw = [
        sum(weight * fmean(scores.values[arm, s] for s in seeds) for arm, weight in draw.items())
        for draw in draws
    ]
    drawn = np.round(by_draw, DIGITS) if by_draw else None
    # Rounded, lest what comes to nothing is an effect of 1e-17.
    return estimate(values.round(DIGITS), resampled.round(DIGITS), scores.samples, drawn)


def _corrected(estimates: Sequence[Estimate | None]) -> list[Difference | None]:
    """The estimates with their p corrected over all of them."""
    known = [one for one in estimates if one is not None]
    corrected = iter(holm([one.p for one in known]))
    return [None if one is None else Difference(one, next(corrected)) for one in estimates]


def _notes(
    definition: Definition, arms: Sequence[ArmResult], done: Sequence[TrackedRun]
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
    if definition.design in ADDING_UP and definition.baseline == DEFAULT:
        yield (
            f"p is corrected over the effects and the whole, {IMPROVED!r}, together, and over the "
            "other arms' differences by themselves"
        )
    drawn = max(len(effect.draws) for effect in definition.effects) if definition.effects else 0
    if drawn:
        held = "what" if drawn > 1 else "nothing of what"
        yield (
            f"the Shapley values are estimates from {counted(drawn, 'random order')} of the "
            f"changes and the reverse; the intervals hold {held} other orders would give"
        )
    for tag, name in CONDITIONS.items():
        found = sorted({run.tags[tag] for run in done if tag in run.tags})
        if len(found) > 1:
            yield f"the runs are of different {name}: {'; '.join(found)}"
