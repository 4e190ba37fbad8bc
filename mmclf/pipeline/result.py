"""The result of a run, as Python gets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.evaluate import EpochScores, EvaluationResult
from mmclf.pipeline.fit_result import FitResult
from mmclf.pipeline.run_data import RunData
from mmclf.storage.tracking import RunLog

LOGITS = ("val", "test")  # the parts whose logits a run keeps


@dataclass(frozen=True, repr=False)
class Result:
    """The result of a run.

    Args:
        run_id: in MLflow.
        metrics: by name.
        history: the metrics of `train` and `val` after each epoch.
        ids: of the N samples of `val` and of `test`.
        logits: (N, L) of `val` and of `test`.
        labels: (N, L) of `val` and of `test`.
        thresholds: (L,).
        label_names: of the L labels.
        sizes: the number of samples of `train`, `val` and `test`.
        artifact_uri: where the run's artifacts are, as far as that is known.

    """

    run_id: str
    metrics: Mapping[str, float]
    history: Sequence[EpochScores]
    ids: Mapping[str, Sequence[str]]
    logits: Mapping[str, NDArray[np.float32]]
    labels: Mapping[str, NDArray[np.uint8]]
    thresholds: NDArray[np.float64]
    label_names: Sequence[str]
    sizes: Mapping[str, int] = field(default_factory=dict)
    artifact_uri: str | None = None

    def __repr__(self) -> str:
        """Its id, its score, and how much there is of what else it holds."""
        sizes = ", ".join(f"{len(of)} {part}" for part, of in self.ids.items())
        score = self.metrics["test/f1_samples"]
        return (
            f"Result(run_id={self.run_id!r}, test/f1_samples={score:.4f}, "
            f"{sizes} samples, {len(self.label_names)} labels, {len(self.history)} epochs)"
        )


def result_of(
    log: RunLog,
    data: RunData,
    fit: FitResult,
    evaluation: EvaluationResult,
    metrics: Mapping[str, float],
) -> Result:
    """The result of what was fitted and evaluated."""
    return Result(
        run_id=log.id,
        metrics=metrics,
        history=evaluation.history,
        ids={part: [data.samples.ids[i] for i in data.parts[part]] for part in LOGITS},
        logits={part: fit.outputs[part].logits for part in LOGITS},
        labels={part: data.labels(part) for part in LOGITS},
        thresholds=evaluation.thresholds,
        label_names=data.samples.label_names,
        sizes={part: len(rows) for part, rows in data.parts.items()},
        artifact_uri=log.artifact_uri,
    )
