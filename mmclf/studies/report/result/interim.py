"""What a look sees of a study that goes on: the estimates of the first seeds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import Definition
from mmclf.studies.report.result.contrasts import common_seeds, contrast
from mmclf.studies.report.result.read_scores import read_scores
from mmclf.studies.run_key import run_key
from mmclf.studies.statistics.estimates import Estimate


def estimates_after(
    tracker: Tracker, definition: Definition, runs: Collection[TrackedRun], seeds: int
) -> list[Estimate | None]:
    """Of each effect that is compared, the estimate of the first so many seeds, from these runs.

    None for an effect that lacks one of them, or whose runs' artifacts are lost. Raises InputError
    if artifacts are out of reach.
    """
    first = replace(definition, seeds=definition.seeds[:seeds])
    finished = {key: run for run in runs if (key := run_key(run)).seed in first.seeds}
    scores = read_scores(tracker, first, finished, deciding_alone=True).deciding
    whole = {
        effect.name
        for effect in first.compared
        if common_seeds(first, scores, effect.weights) == first.seeds
    }
    return [
        contrast(first, scores, of.weights, of.draws) if of.name in whole else None
        for of in first.compared
    ]
