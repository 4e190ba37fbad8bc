"""A study's result, out of its tracked runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import ArtifactError
from mmclf.evaluation.metrics import DecidingMetric
from mmclf.plots.words import counted
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import FILE, Definition, read_definition
from mmclf.studies.report.common_samples import Decided, on_common_samples
from mmclf.studies.report.predictions import read_predictions
from mmclf.studies.report.results import ArmResult, Difference, EffectResult, StudyResult
from mmclf.studies.run_key import RunKey, in_words, run_key
from mmclf.studies.statistics.bootstrap import resampled_score, score
from mmclf.studies.statistics.estimates import Estimate, estimate, holm

RESAMPLES = 2000
DIGITS = 12  # of a sum of scores
SHARED = "mmclf.shared_groups"
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

    `values`: by run; `resampled`: on B resamples of the samples (B,).
    """

    values: Mapping[RunKey, float]
    resampled: Mapping[RunKey, Floats]
    samples: int


def collect(tracker: Tracker, parent: TrackedRun) -> StudyResult:
    """The result of the study whose parent run this is.

    A finished run whose artifacts are lost, or disagree with what was tracked, counts as failed.
    Raises InputError if the run is no study's, or artifacts are out of reach.
    """
    definition = fetch_definition(tracker, parent)
    runs = [run for run in reversed(tracker.children(parent.id)) if "mmclf.seed" in run.tags]
    attempts = {run_key(run): run for run in runs}
    finished = {run_key(run): run for run in runs if run.status == "FINISHED"}
    return study_result(tracker, definition, parent, attempts | finished)


def latest_parent(tracker: Tracker, study: str) -> TrackedRun | None:
    """The parent run of a study by this name that was run last, be it begun before others."""
    parents = [run for run in tracker.tagged("mmclf.study", study) if "mmclf.study_key" in run.tags]
    return max(parents, key=_last_ns, default=None)


def _last_ns(parent: TrackedRun) -> int:
    return int(parent.tags.get("mmclf.study_last_ns", parent.started_ms * 1_000_000))


def study_result(
    tracker: Tracker, definition: Definition, parent: TrackedRun, runs: Mapping[RunKey, TrackedRun]
) -> StudyResult:
    """The result of `runs`, of which each is finished or else the last attempt."""
    keys = {RunKey(arm.name, seed) for arm in definition.arms for seed in definition.seeds}
    attempts = {key: run for key, run in runs.items() if key in keys}
    finished = {key: run for key, run in attempts.items() if run.status == "FINISHED"}
    scores, errors, notes = _scores(tracker, definition, finished)
    attempts |= {key: _as_failed(finished.pop(key), error) for key, error in errors.items()}
    arms = _arms(definition, attempts, scores)
    effects = [
        _contrast(definition, scores, effect.weights, effect.draws) for effect in definition.effects
    ]
    gain = _gain(definition, scores)
    corrected = _corrected([*effects, gain])
    if corrected[-1] is not None:
        # What such a study asks for is the gain and its parts, not each of its many arms.
        arms[-1] = replace(arms[-1], difference=corrected[-1])
    notes += _notes(definition, arms, list(finished.values()))
    pairs = zip(definition.effects, corrected, strict=False)
    return StudyResult(
        definition,
        parent,
        tuple(arms),
        tuple(EffectResult(effect.name, effect.weights, part) for effect, part in pairs),
        tuple(notes),
    )


def fetch_definition(tracker: Tracker, parent: TrackedRun) -> Definition:
    """What the study whose parent run this is was asked."""
    with tempfile.TemporaryDirectory() as folder:
        return read_definition(tracker.fetch(parent, FILE, Path(folder)))


def _as_failed(run: TrackedRun, error: str) -> TrackedRun:
    """A finished run whose artifacts are lost, as the failed one that it amounts to."""
    return replace(run, status="FAILED", tags={**run.tags, "mmclf.error": error})


def _scores(
    tracker: Tracker, definition: Definition, finished: Mapping[RunKey, TrackedRun]
) -> tuple[Scores, dict[RunKey, str], list[str]]:
    """The scores of the runs, what is wrong with those that have none, and notes on test sets."""
    decided: dict[RunKey, Decided] = {}
    errors: dict[RunKey, str] = {}
    for key, run in finished.items():
        try:
            decided[key] = _decided(tracker, run, definition.deciding)
        except ArtifactError as error:
            errors[key] = str(error)
    notes = [f"{in_words([key])}: {error}" for key, error in errors.items()]
    if not decided:
        return Scores({}, {}, 0), errors, notes
    baseline = [of for key, of in decided.items() if key.arm == definition.baseline]
    paired, more = on_common_samples(decided, (baseline or list(decided.values()))[0])
    labels = next(iter(paired.values())).labels
    predicted = np.stack([of.predicted for of in paired.values()])
    metric = definition.deciding.metric
    values = dict(zip(paired, score(labels, predicted, metric).tolist(), strict=True))
    columns = resampled_score(labels, predicted, metric, resamples=RESAMPLES, seed=0).T
    resampled = dict(zip(paired, columns, strict=True))
    return Scores(values, resampled, len(labels)), errors, [*notes, *more]


def _decided(tracker: Tracker, run: TrackedRun, deciding: DecidingMetric) -> Decided:
    """What a run made of its test samples; ArtifactError unless that is what was tracked."""
    with tempfile.TemporaryDirectory() as folder:
        # Those of val too, which the page draws.
        predictions = read_predictions(tracker, run, Path(folder), with_val=True)
    test, predicted = predictions.test, predictions.sets(deciding.rule)
    value = float(score(test.labels, predicted[None], deciding.metric)[0])
    key = deciding.key(deciding.rule)
    tracked = run.metrics.get(key)
    if tracked is None or abs(tracked - value) > 1e-9:
        raise ArtifactError(
            f"run {run.id}: {key} is tracked as {tracked}, but its predictions give {value}: "
            "its artifacts have changed since"
        )
    return Decided(test.ids, test.labels, predicted)


def _arms(
    definition: Definition, attempts: Mapping[RunKey, TrackedRun], scores: Scores
) -> list[ArmResult]:
    """The arms, each with its difference to the baseline, p corrected over them."""
    names = [arm.name for arm in definition.arms]
    differences = _corrected([_difference(definition, scores, name) for name in names])
    arms = []
    for arm, difference in zip(definition.arms, differences, strict=True):
        by_seed = {seed: attempts.get(RunKey(arm.name, seed)) for seed in definition.seeds}
        # What still runs has not failed.
        ended = [run for run in by_seed.values() if run is not None and run.status != "RUNNING"]
        arms.append(
            ArmResult(
                name=arm.name,
                levels=arm.levels,
                runs=tuple(run for run in ended if run.status == "FINISHED"),
                failed=tuple(run for run in ended if run.status != "FINISHED"),
                missing=tuple(seed for seed, run in by_seed.items() if run not in ended),
                score=_contrast(definition, scores, {arm.name: 1.0}),
                difference=difference,
            )
        )
    return arms


def _difference(definition: Definition, scores: Scores, arm: str) -> Estimate | None:
    """The difference of an arm to the baseline; None for the baseline."""
    if arm == definition.baseline:
        return None
    return _contrast(definition, scores, {arm: 1.0, definition.baseline: -1.0})


def _gain(definition: Definition, scores: Scores) -> Estimate | None:
    """What the effects add up to; None unless they do, from the baseline."""
    if definition.gain is None or definition.gain[0].name != definition.baseline:
        return None
    return _difference(definition, scores, definition.gain[1].name)


def _contrast(
    definition: Definition,
    scores: Scores,
    weights: Mapping[str, float],
    draws: Sequence[Mapping[str, float]] = (),
) -> Estimate | None:
    """The weighted sum of arms' scores, paired by seed and sample; None without common seeds.

    `draws`: the weights of each of the random draws that `weights` is the mean of.
    """
    of, resampled_of = scores.values, scores.resampled
    seeds = [s for s in definition.seeds if all(RunKey(arm, s) in of for arm in weights)]
    if not seeds:
        return None
    values = np.zeros(len(seeds))
    resampled = np.zeros((RESAMPLES, len(seeds)))
    for column, seed in enumerate(seeds):
        for arm, weight in weights.items():
            values[column] += weight * of[RunKey(arm, seed)]
            resampled[:, column] += weight * resampled_of[RunKey(arm, seed)]
    by_draw = [
        sum(weight * fmean(of[RunKey(arm, s)] for s in seeds) for arm, weight in draw.items())
        for draw in draws
    ]
    drawn = np.round(by_draw, DIGITS) if by_draw else None
    # Rounded, lest what adds up to nothing is an effect of 1e-17.
    return estimate(values.round(DIGITS), resampled.round(DIGITS), scores.samples, drawn)


def _corrected(estimates: Sequence[Estimate | None]) -> list[Difference | None]:
    """The estimates with their p corrected over all of them."""
    corrected = iter(holm([of.p for of in estimates if of is not None]))
    return [None if of is None else Difference(of, next(corrected)) for of in estimates]


def _notes(
    definition: Definition, arms: Sequence[ArmResult], finished: Sequence[TrackedRun]
) -> Iterator[str]:
    if len(definition.seeds) == 1:
        yield (
            "one seed alone: the intervals hold the test set's share of the uncertainty, and "
            "nothing of what another seed would give"
        )
    shared = {run.tags[SHARED] for run in finished if SHARED in run.tags}
    if shared:
        number = counted(max(map(int, shared)), "group")
        yield (
            f"{number} of samples that belong together stood in several parts "
            "(split.on_shared_group=warn): scores on what was partly seen in training are too good"
        )
    unfinished = sum(len(arm.failed) + len(arm.missing) for arm in arms)
    if unfinished:
        yield (
            f"{unfinished} of {len(arms) * len(definition.seeds)} runs have not finished: arms are "
            "compared on the seeds that they share; the same command runs what is missing"
        )
    if definition.gain is not None and definition.gain[0].name == definition.baseline:
        yield (
            f"p is corrected over the effects and the whole, {definition.gain[1].name!r}, "
            "together, and over the other arms' differences by themselves"
        )
    draws = max((len(effect.draws) for effect in definition.effects), default=0)
    if draws:
        held = "what" if draws > 1 else "nothing of what"
        yield (
            f"the Shapley values are estimates from {counted(draws, 'random order')} of the "
            f"changes and the reverse; the intervals hold {held} other orders would give"
        )
    for tag, name in CONDITIONS.items():
        values = sorted({run.tags[tag] for run in finished if tag in run.tags})
        if len(values) > 1:
            yield f"the runs are of different {name}: {'; '.join(values)}"
