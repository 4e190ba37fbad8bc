"""The stage `decide`: thresholds and metrics of a fit, and the metrics of its epochs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mmclf.evaluation.evaluate import EpochScores, EvaluationResult, evaluate, evaluate_epoch
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline.fit_result import FitResult
from mmclf.pipeline.run_data import RunData
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.entry import Entry
from mmclf.storage.store.stage_result import Computed, StageResult

PARTS = ("train", "val", "test")


class EvaluationSerializer:
    """Stores an evaluation's result as JSON, without rounding."""

    def write(self, result: EvaluationResult, folder: Path) -> None:
        """Write a result to `folder`."""
        record = asdict(result) | {"thresholds": result.thresholds.tolist()}
        (folder / "evaluation.json").write_text(json.dumps(record), encoding="utf-8")

    def read(self, entry: Entry) -> EvaluationResult:
        """Read a result from an entry."""
        record = json.loads(entry.read("evaluation.json"))
        thresholds = np.asarray(record["thresholds"], dtype=np.float64)
        return EvaluationResult(thresholds, record["metrics"], record["history"])


def evaluate_fit(
    fit: StageResult[FitResult],
    data: RunData,
    threshold: Threshold,
    history: Sequence[EpochScores] | None,
) -> Computed[EvaluationResult]:
    """Evaluate a fit.

    Args:
        fit: its result.
        data: of the run.
        threshold: the rule for thresholds.
        history: the metrics of its epochs, if they have been evaluated already.

    """
    result = fit.value
    if history is None:
        epochs = zip(result.train, result.val, strict=True)
        history = [score_epoch(data, threshold, train, val) for train, val in epochs]
    clock = Stopwatch()
    labels = {part: data.labels(part) for part in PARTS}
    names = data.samples.label_names
    thresholds, metrics = evaluate(result.outputs, labels, threshold, names)
    evaluation = EvaluationResult(thresholds, metrics, list(history))
    return Computed(evaluation, clock.elapsed(), len(data.samples), fit.timings)


def score_epoch(
    data: RunData, threshold: Threshold, train: SplitOutputs, val: SplitOutputs
) -> dict[str, float]:
    """The metrics of `train` and `val` after an epoch."""
    labels = {part: data.labels(part) for part in ("train", "val")}
    return evaluate_epoch({"train": train, "val": val}, labels, threshold)
