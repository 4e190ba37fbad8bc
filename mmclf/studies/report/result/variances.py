"""How much differences of arms vary, from earlier studies on the same data, or as is assumed.

It is what a plan needs: which difference a number of seeds would show hangs on nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from mmclf.errors import InputError
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.earlier import DIGEST, STUDY
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.statistics.estimates import Estimate

# Of paired differences of samples-F1, as published for heads and losses on 800 test samples.
SEED_SD, SAMPLE_SD, SAMPLES = 0.0040, 0.0020, 800
MOST_STUDIES = 3  # that are looked at
MOST_RUNS = 100  # of a study, which tell the spread well enough
ASSUMED = "assumed, as no study with two seeds has been run on these data"


@dataclass(frozen=True)
class Variances:
    """Standard deviations of a difference of two arms of one seed on the same test samples.

    `seed_sd`: between seeds; `sample_sd`: by the draw of the test samples, of the mean over seeds;
    `source`: where they are from, in words.
    """

    seed_sd: float
    sample_sd: float
    source: str


def assumed(samples: int) -> Variances:
    """What is taken for granted where nothing is known, for so many test samples."""
    return Variances(SEED_SD, SAMPLE_SD * math.sqrt(SAMPLES / samples), ASSUMED)


def earlier_variances(tracker: Tracker, study: str, metric: str, data: str) -> Variances | None:
    """The medians over the differences of an earlier study on the data of this digest, if any.

    That is the latest of this name, else the latest of another one, of those with two arms and two
    seeds or more whose runs can still be read. Of a large study its first seeds are taken.
    """
    parents = tracker.tagged(DIGEST, data, also="mmclf.study_key")
    parents.sort(key=lambda run: run.tags.get(STUDY) != study)
    for parent in parents[:MOST_STUDIES]:
        variances = _of_study(tracker, parent, metric)
        if variances is not None:
            return variances
    return None


def _of_study(tracker: Tracker, parent: TrackedRun, metric: str) -> Variances | None:
    try:
        result = collect(tracker, parent, metric=metric, most_runs=MOST_RUNS, deciding_alone=True)
    except InputError:
        return None
    estimates = [of for of in _estimates(result) if of.seeds > 1 and of.groups is not None]
    if not estimates:
        return None
    seeds = max(of.seeds for of in estimates)
    return Variances(
        median(of.deviation for of in estimates),
        median(math.sqrt(of.shared) for of in estimates),
        f"from {len(result.arms)} arms and {seeds} seeds of the study {result.definition.name}",
    )


def _estimates(result: StudyResult) -> Sequence[Estimate]:
    return [arm.difference.estimate for arm in result.arms if arm.difference is not None]
