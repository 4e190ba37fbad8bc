"""The scores of a study's runs, and on resamples, out of what they predicted."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import ArtifactError
from mmclf.evaluation.metrics import RULES, DecidingMetric
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import Definition
from mmclf.studies.report.artifacts.common_samples import Decided, largest_groups, on_common_samples
from mmclf.studies.report.artifacts.predictions import FITTED, Predictions, read_predictions
from mmclf.studies.report.result.notes import group_notes
from mmclf.studies.report.result.scores import Scores, summed_scores
from mmclf.studies.report.result.study_result import MAP
from mmclf.studies.run_key import RunKey, in_words
from mmclf.studies.statistics.average_precision import mean_average_precisions, resampled_map
from mmclf.studies.statistics.bootstrap import count_groups, resampled_score, score

RESAMPLES = 2000
# Of mAP, which takes longer: fewer where samples x labels x runs x resamples would be more.
MAP_WORK, FEWEST_RESAMPLES = 4_000_000_000, 200
RANKED_AT_ONCE = 16  # runs whose probabilities are held
EXACT = 1e-9  # by which a tracked value may differ from that of the tracked predictions
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StudyScores:
    """The scores of a study's runs by the deciding metric, and those `beside` it, by their keys.

    `errors`: what is wrong with the runs that have none; `notes`: what is to be known of test sets.
    """

    deciding: Scores
    beside: Mapping[str, Scores]
    errors: Mapping[RunKey, str]
    notes: Sequence[str]


def read_scores(
    tracker: Tracker,
    definition: Definition,
    finished: Mapping[RunKey, TrackedRun],
    *,
    deciding_alone: bool = False,
) -> StudyScores:
    """The scores of finished runs, each from its predictions, on the samples that all have.

    Probabilities, the most of what a run predicted, are held of a few runs at a time. With
    `deciding_alone` no other metric is computed than the deciding one, which is half of the work.
    """
    decided: dict[RunKey, Decided] = {}
    ranked: set[RunKey] = set()
    errors: dict[RunKey, str] = {}
    for key, run in finished.items():
        try:
            of, is_ranked = _decided(
                tracker, run, definition.deciding, deciding_alone=deciding_alone
            )
            decided[key] = of.sharing(next(iter(decided.values()), of))
            ranked |= {key} if is_ranked else set()
        except ArtifactError as error:
            errors[key] = str(error)
    notes = [f"{in_words([key])}: {error}" for key, error in errors.items()]
    if not decided:
        return StudyScores(Scores(), {}, errors, notes)
    baseline = [of for key, of in decided.items() if key.arm == definition.baseline]
    paired, of_samples = on_common_samples(decided, (baseline or list(decided.values()))[0])
    groups = largest_groups(list(paired.values()))
    notes += [*of_samples, *group_notes(len(groups), count_groups(groups))]
    deciding = _scores(paired, definition.deciding, groups)
    if deciding_alone:
        return StudyScores(deciding, {}, errors, notes)
    beside = _scores_beside(paired, definition.deciding, groups, deciding)
    if have_map := {key: finished[key] for key in paired if key in ranked}:
        beside[MAP] = _map_scores(tracker, have_map, next(iter(paired.values())), groups)
    return StudyScores(deciding, beside, errors, notes)


def _scores_beside(
    runs: Mapping[RunKey, Decided],
    deciding: DecidingMetric,
    groups: NDArray[np.int64],
    deciding_scores: Scores,
) -> dict[str, Scores]:
    """The scores by the other rules, of the runs that have each."""
    beside = {}
    for key in _rules_beside(deciding).values():
        has_it = {run: of for run, of in runs.items() if key in of.beside}
        # Where a run's own threshold is 0.5, both are the same.
        if len(has_it) == len(runs) and all(
            np.array_equal(of.beside[key], of.predicted) for of in runs.values()
        ):
            beside[key] = deciding_scores
        elif has_it:
            beside[key] = _scores(has_it, deciding, groups, key)
    return beside


def _rules_beside(deciding: DecidingMetric) -> dict[str, str]:
    """The rules that do not decide, each with the key of the deciding one's metric by it."""
    return {rule: deciding.key(rule) for rule in RULES if rule != deciding.rule}


def _decided(
    tracker: Tracker, run: TrackedRun, deciding: DecidingMetric, *, deciding_alone: bool
) -> tuple[Decided, bool]:
    """What a run made of its test samples, and whether its mAP is what was tracked.

    Raises ArtifactError unless the deciding metric is.
    """
    with tempfile.TemporaryDirectory() as folder:
        # Those of val too, which the page draws.
        with_val = not deciding_alone or deciding.rule == FITTED
        predictions = read_predictions(tracker, run, Path(folder), with_val=with_val)
    test, predicted = predictions.test, predictions.sets(deciding.rule)
    key = deciding.key(deciding.rule)
    tracked = run.metrics.get(key)
    value = float(score(test.labels, predicted[None], deciding.metric)[0])
    if tracked is None or abs(tracked - value) > EXACT:
        raise ArtifactError(
            f"run {run.id}: {key} is tracked as {tracked}, but its predictions give {value}: "
            "its artifacts have changed since"
        )
    if deciding_alone:
        return Decided(test.ids, test.groups, test.labels, predicted), False
    beside = _sets_beside(run, predictions, deciding)
    map_score = float(mean_average_precisions(test.labels, test.probabilities[None])[0])
    is_map = abs(run.metrics.get(MAP, math.nan) - map_score) <= EXACT
    return Decided(test.ids, test.groups, test.labels, predicted, beside), is_map


def _sets_beside(
    run: TrackedRun, predictions: Predictions, deciding: DecidingMetric
) -> dict[str, NDArray[np.uint8]]:
    """The label sets by the other rules, where they are what was tracked."""
    sets = {}
    for rule, key in _rules_beside(deciding).items():
        tracked = run.metrics.get(key)
        if tracked is None:
            continue
        predicted = predictions.sets(rule)
        value = float(score(predictions.test.labels, predicted[None], deciding.metric)[0])
        if abs(tracked - value) <= EXACT:
            sets[key] = predicted
    return sets


def _scores(
    runs: Mapping[RunKey, Decided],
    deciding: DecidingMetric,
    groups: NDArray[np.int64],
    key: str | None = None,
) -> Scores:
    """The scores of runs that have the same samples, by the deciding rule or by that of `key`."""
    labels = next(iter(runs.values())).labels

    def scored(some: Sequence[RunKey]) -> tuple[Floats, Floats]:
        sets = [runs[of].predicted if key is None else runs[of].beside[key] for of in some]
        predicted = np.stack(sets)
        return score(labels, predicted, deciding.metric), resampled_score(
            labels, predicted, deciding.metric, resamples=RESAMPLES, seed=0, groups=groups
        )

    return summed_scores(runs, scored, count_groups(groups))


def _map_scores(
    tracker: Tracker, runs: Mapping[RunKey, TrackedRun], test: Decided, groups: NDArray[np.int64]
) -> Scores:
    """The mAP of runs on the samples of `test`, in their order."""
    labels = test.labels
    work = labels.size * len(runs)
    resamples = min(RESAMPLES, max(FEWEST_RESAMPLES, MAP_WORK // work))

    def scored(some: Sequence[RunKey]) -> tuple[Floats, Floats]:
        # Read again: all of them together are too much for memory.
        ranked = np.stack([_test_probabilities(tracker, runs[key], test.ids) for key in some])
        return mean_average_precisions(labels, ranked), resampled_map(
            labels, ranked, resamples=resamples, seed=0, groups=groups
        )

    return summed_scores(runs, scored, count_groups(groups), RANKED_AT_ONCE)


def _test_probabilities(tracker: Tracker, run: TrackedRun, ids: NDArray[np.str_]) -> Floats:
    """The probabilities (N, L) of a run on test samples, all of which it has."""
    with tempfile.TemporaryDirectory() as folder:
        of = read_predictions(tracker, run, Path(folder), with_val=False).test
    on = Decided(of.ids, of.groups, of.labels, of.labels, probabilities=of.probabilities).on(ids)
    assert on.probabilities is not None
    return on.probabilities
