"""A study's result, out of its tracked runs."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import ArtifactError
from mmclf.evaluation.metrics import DecidingMetric
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import FILE, Definition, read_definition
from mmclf.studies.looks import Looks, fetch_looks
from mmclf.studies.report.common_samples import (
    Decided,
    largest_groups,
    on_common_samples,
)
from mmclf.studies.report.notes import group_notes, study_notes
from mmclf.studies.report.predictions import read_predictions
from mmclf.studies.report.results import ArmResult, EffectResult, StudyResult
from mmclf.studies.report.stopped import look_notes, with_call
from mmclf.studies.run_key import RunKey, in_words, run_key
from mmclf.studies.statistics.bootstrap import count_groups, resampled_score, score
from mmclf.studies.statistics.draws import draw_variance
from mmclf.studies.statistics.estimates import Estimate, estimate
from mmclf.studies.statistics.verdicts import Difference, family

RESAMPLES = 2000
DIGITS = 12  # of a sum of scores
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """The deciding metric of runs on one and the same test samples.

    `values`: by run; `resampled`: on B resamples of the samples (B,); `groups`: how many groups of
    samples that belong together each resample drew from.
    """

    values: Mapping[RunKey, float]
    resampled: Mapping[RunKey, Floats]
    groups: int


def collect(tracker: Tracker, parent: TrackedRun) -> StudyResult:
    """The result of the study whose parent run this is.

    A finished run whose artifacts are lost, or disagree with what was tracked, counts as failed.
    Raises InputError if the run is no study's, or artifacts are out of reach.
    """
    definition = fetch_definition(tracker, parent)
    runs = [run for run in reversed(tracker.children(parent.id)) if "mmclf.seed" in run.tags]
    attempts = {run_key(run): run for run in runs}
    finished = {run_key(run): run for run in runs if run.status == "FINISHED"}
    looks = fetch_looks(tracker, parent)
    return study_result(tracker, definition, parent, attempts | finished, looks)


def latest_parent(tracker: Tracker, study: str) -> TrackedRun | None:
    """The parent run of a study by this name that was run last, be it begun before others."""
    parents = [run for run in tracker.tagged("mmclf.study", study) if "mmclf.study_key" in run.tags]
    return max(parents, key=_last_ns, default=None)


def _last_ns(parent: TrackedRun) -> int:
    return int(parent.tags.get("mmclf.study_last_ns", parent.started_ms * 1_000_000))


def study_result(
    tracker: Tracker,
    definition: Definition,
    parent: TrackedRun,
    runs: Mapping[RunKey, TrackedRun],
    looks: Looks | None = None,
) -> StudyResult:
    """The result of `runs`, of which each is finished or else the last attempt.

    `looks`: of a study that stops when decided, or that was begun so.
    """
    of_looks = looks if definition.plan is not None else None
    seeds = _seeds(definition, of_looks)
    attempts = {key: run for key, run in runs.items() if key.seed in seeds.get(key.arm, ())}
    finished = {key: run for key, run in attempts.items() if run.status == "FINISHED"}
    scores, errors, notes = _scores(tracker, definition, finished)
    attempts |= {key: _as_failed(finished.pop(key), error) for key, error in errors.items()}
    arms = _arms(definition, attempts, scores, seeds, of_looks)
    effects = _effects(definition, scores, of_looks)
    if len(definition.compared) > len(definition.effects) and effects[-1] is not None:
        # What such a study asks for is the gain and its parts, not each of its many arms.
        arms[-1] = replace(arms[-1], difference=effects[-1])
    notes += look_notes(definition, looks)
    notes += study_notes(definition, arms, list(finished.values()))
    pairs = zip(definition.effects, effects, strict=False)
    return StudyResult(
        definition,
        parent,
        tuple(arms),
        tuple(EffectResult(effect.name, effect.weights, part) for effect, part in pairs),
        tuple(notes),
        of_looks,
    )


def _seeds(definition: Definition, looks: Looks | None) -> dict[str, tuple[int, ...]]:
    """The seeds of each arm: all, or those that it has been given."""
    return {
        arm.name: definition.seeds if looks is None else looks.seeds(arm.name, definition.seeds)
        for arm in definition.arms
    }


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
    groups = largest_groups(list(paired.values()))
    columns = resampled_score(
        labels, predicted, metric, resamples=RESAMPLES, seed=0, groups=groups
    ).T
    resampled = dict(zip(paired, columns, strict=True))
    count = count_groups(groups)
    more += group_notes(len(groups), count)
    return Scores(values, resampled, count), errors, [*notes, *more]


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
    return Decided(test.ids, test.groups, test.labels, predicted)


def _arms(
    definition: Definition,
    attempts: Mapping[RunKey, TrackedRun],
    scores: Scores,
    seeds: Mapping[str, Sequence[int]],
    looks: Looks | None,
) -> list[ArmResult]:
    """The arms, each with its difference to the baseline, compared as one family."""
    estimates = [
        None
        if arm.name == definition.baseline
        else _contrast(definition, scores, {arm.name: 1.0, definition.baseline: -1.0})
        for arm in definition.arms
    ]
    differences = _family(definition, estimates, len(definition.arms) - 1)
    arms = []
    for arm, difference in zip(definition.arms, differences, strict=True):
        by_seed = {seed: attempts.get(RunKey(arm.name, seed)) for seed in seeds[arm.name]}
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
                difference=with_call(difference, looks, arm.name),
            )
        )
    return arms


def _effects(
    definition: Definition, scores: Scores, looks: Looks | None
) -> list[Difference | None]:
    """What the study asks for, and last what the effects add up to, if that is asked too.

    Effects that add up are all of the seeds that every one of their arms has: parts of other seeds
    than the whole would not make it up.
    """
    estimates = _effect_estimates(definition, scores)
    differences = _family(definition, estimates, len(estimates))
    return [
        with_call(difference, looks, effect.name)
        for effect, difference in zip(definition.compared, differences, strict=True)
    ]


def _effect_estimates(definition: Definition, scores: Scores) -> list[Estimate | None]:
    """Of each of the effects that are compared together."""
    asked, seeds = definition.compared, definition.seeds
    if definition.gain is not None:
        needed = {name for effect in asked for name in effect.weights}
        needed |= {arm.name for arm in definition.gain}
        seeds = _seeds_of(definition, scores, needed)
    return [_contrast(definition, scores, of.weights, of.draws, seeds=seeds) for of in asked]


def estimates_after(
    tracker: Tracker, definition: Definition, runs: Collection[TrackedRun], seeds: int
) -> list[Estimate | None]:
    """Of each effect that is compared, the estimate of the first so many seeds, from these runs.

    None for an effect that lacks one of them, or whose runs' artifacts are lost.
    """
    first = replace(definition, seeds=definition.seeds[:seeds])
    finished = {key: run for run in runs if (key := run_key(run)).seed in first.seeds}
    scores, _, _ = _scores(tracker, first, finished)
    estimates = _effect_estimates(first, scores)
    return [of if of is not None and of.seeds == seeds else None for of in estimates]


def _seeds_of(definition: Definition, scores: Scores, arms: Collection[str]) -> tuple[int, ...]:
    """The seeds that all of these arms have a score of."""
    return tuple(
        s for s in definition.seeds if all(RunKey(arm, s) in scores.values for arm in arms)
    )


def _contrast(
    definition: Definition,
    scores: Scores,
    weights: Mapping[str, float],
    draws: Sequence[Mapping[str, float]] = (),
    *,
    seeds: Collection[int] | None = None,
) -> Estimate | None:
    """The weighted sum of arms' scores, paired by seed and sample; None without common seeds.

    `draws`: the weights of each of the random draws that `weights` is the mean of. `seeds`: the
    only ones that count.
    """
    common = [s for s in _seeds_of(definition, scores, weights) if seeds is None or s in seeds]
    if not common:
        return None
    values, resampled = _weighted(scores, weights, common)
    added = 0.0
    if len(draws) > 1:
        by_draw = [_weighted(scores, draw, common) for draw in draws]
        added = draw_variance(
            np.stack([of for of, _ in by_draw]),
            np.stack([of for _, of in by_draw], axis=1),
            scores.groups,
        )
    return estimate(values, resampled, scores.groups, added, len(draws))


def _weighted(
    scores: Scores, weights: Mapping[str, float], seeds: Sequence[int]
) -> tuple[Floats, Floats]:
    """The weighted sums (S,) of arms' scores, and those of the resamples (B, S).

    Rounded, lest what adds up to nothing is an effect of 1e-17.
    """
    values, resampled = np.zeros(len(seeds)), np.zeros((RESAMPLES, len(seeds)))
    for column, seed in enumerate(seeds):
        for arm, weight in weights.items():
            values[column] += weight * scores.values[RunKey(arm, seed)]
            resampled[:, column] += weight * scores.resampled[RunKey(arm, seed)]
    return values.round(DIGITS), resampled.round(DIGITS)


def _family(
    definition: Definition, estimates: Sequence[Estimate | None], comparisons: int
) -> list[Difference | None]:
    """Differences that are compared together, all that were asked for, finished or not."""
    sign = definition.deciding.metric.sign
    return family(estimates, comparisons=max(comparisons, 1), margin=definition.margin, sign=sign)
