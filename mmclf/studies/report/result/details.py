"""What a study's page shows beside the tables: curves and label shares of its main arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.plots.threshold_curves import ThresholdCurves
from mmclf.studies.report.result.study_result import ArmResult, StudyResult

Floats = NDArray[np.float64]
Curve = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class ArmDetails:
    """The curves of an arm, an entry a seed in the order of its finished runs.

    `history`: by metric (`{train,val}/{loss,f1_samples}`) a curve of (epoch, value) for each seed.
    `by_threshold`: the samples-F1 at each threshold that is the same for all labels.
    """

    history: Mapping[str, tuple[Curve, ...]]
    by_threshold: ThresholdCurves


@dataclass(frozen=True)
class Details:
    """Details of the main arms, by name; what each label's share of a part is.

    `label_shares` holds, by part (`train`, `val`, `test`), the share (L,) of samples with each of
    the `label_names`, and `sizes` how many samples it has, both of the first main arm's first run,
    and empty where that does not say. `runs_url` followed by a run's id and `?TRAINING`
    is its address in the MLflow UI; `label_keys` are the ends of the metrics `test/f1_label/KEY`
    of each label.
    """

    arms: Mapping[str, ArmDetails]
    label_names: tuple[str, ...]
    label_keys: tuple[str, ...]
    label_shares: Mapping[str, Floats]
    sizes: Mapping[str, int]
    runs_url: str


def main_arms(result: StudyResult) -> list[ArmResult]:
    """The baseline and the best of the other arms, of those that have a finished run."""
    baseline = result.baseline
    best = result.best_of([arm for arm in result.arms if arm is not baseline]) or baseline
    return [arm for arm in {arm.name: arm for arm in (baseline, best)}.values() if arm.runs]
