"""The details of a study's page, out of the runs of its main arms."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.metrics import METRICS
from mmclf.evaluation.threshold_search import Empty
from mmclf.evaluation.thresholds import decide
from mmclf.plots.threshold_curves import ThresholdCurves
from mmclf.storage.tracking import TrackedRun, Tracker, key_of
from mmclf.storage.tracking.pages import server_of
from mmclf.studies.report.artifacts.artifact_files import LabelShares, damaged, read_json
from mmclf.studies.report.artifacts.predictions import Part, Predictions, read_predictions
from mmclf.studies.report.result.details import (
    ArmDetails,
    Curve,
    Details,
    Floats,
    main_arms,
)
from mmclf.studies.report.result.study_result import ArmResult, StudyResult
from mmclf.studies.statistics.bootstrap import score

CURVES = ("train/loss", "val/loss", "train/f1_samples", "val/f1_samples")
THRESHOLDS = 49  # between 0 and 1, every fiftieth
PARTS = ("train", "val", "test")


def read_details(tracker: Tracker, result: StudyResult) -> Details | None:
    """The details of the main arms; None if none of them has a finished run."""
    arms = main_arms(result)
    if not arms:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        predicted = {
            arm.name: [_predictions(tracker, run, folder) for run in arm.runs] for arm in arms
        }
        first, shown = arms[0].runs[0], predicted[arms[0].name][0]
        shares = _label_shares(tracker, first, folder, len(shown.label_names))
    names = shown.label_names
    return Details(
        arms={arm.name: _details(tracker, arm, predicted[arm.name]) for arm in arms},
        label_names=names,
        label_keys=tuple(key_of(f"test/f1_label/{name}").rpartition("/")[2] for name in names),
        label_shares=shares,
        sizes=part_sizes(first),
        runs_url=runs_url(tracker),
    )


def _predictions(tracker: Tracker, run: TrackedRun, folder: Path) -> Predictions:
    return read_predictions(tracker, run, folder / run.id, with_val=True)


def part_sizes(run: TrackedRun) -> dict[str, int]:
    """How many samples the parts of a run's split have; empty for a run that does not say."""
    tags = {part: run.tags.get(f"mmclf.samples.{part}") for part in PARTS}
    return {part: int(size) for part, size in tags.items() if size is not None and size.isdecimal()}


def runs_url(tracker: Tracker) -> str:
    """The address of a run in the MLflow UI, but for the run's id."""
    return f"{server_of(tracker.uri)}/#/experiments/{tracker.experiment_id}/runs/"


def _label_shares(
    tracker: Tracker, run: TrackedRun, folder: Path, labels: int
) -> dict[str, Floats]:
    path = tracker.fetch(run, "figures/label_shares.json", folder)
    shares = read_json(path, LabelShares).shares
    if any(len(values) != labels for values in shares.values()):
        raise damaged(path, f"it has not {labels} labels, as the predictions have")
    return {part: np.asarray(values, dtype=np.float64) for part, values in shares.items()}


def _details(tracker: Tracker, arm: ArmResult, predicted: Sequence[Predictions]) -> ArmDetails:
    thresholds = np.linspace(0, 1, THRESHOLDS + 2)[1:-1]
    return ArmDetails(
        history={
            metric: tuple(_curve(tracker, run, metric) for run in arm.runs) for metric in CURVES
        },
        by_threshold=ThresholdCurves(
            thresholds,
            val=np.stack([_by_threshold(_val(p), thresholds, p.empty) for p in predicted]),
            test=np.stack([_by_threshold(p.test, thresholds, p.empty) for p in predicted]),
            chosen=tuple(_common(p.thresholds) for p in predicted),
        ),
    )


def _curve(tracker: Tracker, run: TrackedRun, metric: str) -> Curve:
    """The value of a metric after each epoch; empty for a run that has not tracked it."""
    epochs = tracker.history(run.id, f"epoch/{metric}")
    # Runs of before tracked it under the metric's own name, and the best epoch's value last.
    return tuple(epochs or tracker.history(run.id, metric)[:-1])


def _val(predicted: Predictions) -> Part:
    assert predicted.val is not None
    return predicted.val


def _by_threshold(part: Part, thresholds: NDArray[np.float64], empty: Empty) -> Floats:
    labels = part.labels.shape[1]
    sets = [decide(part.probabilities, np.full(labels, value), empty) for value in thresholds]
    return score(part.labels, np.stack(sets), METRICS["f1_samples"])


def _common(thresholds: Floats) -> float | None:
    return float(thresholds[0]) if np.unique(thresholds).size == 1 else None
