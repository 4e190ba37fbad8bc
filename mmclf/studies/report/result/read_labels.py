"""Each label's F1 against the baseline's, out of what a study's runs predicted."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmclf.storage.tracking import Tracker
from mmclf.studies.report.artifacts.common_samples import Decided, largest_groups, on_common_samples
from mmclf.studies.report.artifacts.predictions import FITTED, read_predictions
from mmclf.studies.report.result.read_scores import RESAMPLES
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.run_key import RunKey
from mmclf.studies.statistics.label_tests import LabelDifference, Pair, label_differences

MEMORY = 2**26  # bytes: of 2,000 runs more is no faster


@dataclass(frozen=True)
class LabelResult:
    """The differences of arms and labels, whose numbers are places in `names`."""

    names: tuple[str, ...]
    differences: tuple[LabelDifference, ...]


def read_labels(tracker: Tracker, result: StudyResult) -> LabelResult | None:
    """The differences of the arms that are drawn; None without one to compare to the baseline.

    They are on the samples, by the rule and of the resamples that decide the study.
    """
    decided, names = _decided(tracker, result)
    baseline = result.definition.baseline
    reference = next((of for key, of in decided.items() if key.arm == baseline), None)
    if reference is None:
        return None
    paired, _ = on_common_samples(decided, reference)
    pairs = _pairs(list(paired), baseline)
    if not pairs:
        return None
    differences = label_differences(
        next(iter(paired.values())).labels,
        np.stack([of.predicted for of in paired.values()]),
        pairs,
        resamples=RESAMPLES,
        seed=0,
        groups=largest_groups(list(paired.values())),
        memory=MEMORY,
    )
    return LabelResult(names, tuple(differences))


def _decided(
    tracker: Tracker, result: StudyResult
) -> tuple[dict[RunKey, Decided], tuple[str, ...]]:
    """What each run made of its test samples, and the names of the labels."""
    rule = result.definition.deciding.rule
    decided: dict[RunKey, Decided] = {}
    names: tuple[str, ...] = ()
    arms = {arm.name: arm for arm in (result.baseline, *result.drawn)}
    for arm in arms.values():
        for run in arm.runs:
            with tempfile.TemporaryDirectory() as folder:
                of = read_predictions(tracker, run, Path(folder), with_val=rule == FITTED)
            names = names or of.label_names
            test = of.test
            key = RunKey(arm.name, int(run.tags["mmclf.seed"]))
            sets = Decided(test.ids, test.groups, test.labels, of.sets(rule))
            decided[key] = sets.sharing(next(iter(decided.values()), sets))
    return decided, names


def _pairs(keys: Sequence[RunKey], baseline: str) -> Mapping[str, list[Pair]]:
    """By arm, the places of its runs and of the baseline's with the same seed."""
    places = {key: row for row, key in enumerate(keys)}
    pairs: dict[str, list[Pair]] = {}
    for key, row in places.items():
        base = places.get(RunKey(baseline, key.seed))
        if key.arm != baseline and base is not None:
            pairs.setdefault(key.arm, []).append((row, base))
    return pairs
