"""What a run logs to MLflow: settings and data at its start; scores, costs and files at its end."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mmclf.config.schema import Composed, Config
from mmclf.evaluation.evaluate import EvaluationResult
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline import artifacts, run_naming
from mmclf.pipeline.cost import PredictionCostSerializer, cost_metrics, cost_tags
from mmclf.pipeline.error_figure import write_error_figure
from mmclf.pipeline.figures import write_figures
from mmclf.pipeline.fit_result import FitResult
from mmclf.pipeline.result import LOGITS
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.stage_timing import speeds, times, timing_tags
from mmclf.pipeline.stages import RunStages
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.stage_result import StageResult
from mmclf.storage.store.store import Store
from mmclf.storage.tracking import NOTE, Data, RunLog, write_model_files

LOADER = "mmclf.pipeline.predict.mlflow_loader"  # by which MLflow loads the model
# What MLflow shows of a model beside its run's metrics.
MODEL_SCORES = tuple(
    f"{part}/{score}"
    for part in LOGITS
    for score in ("loss", "f1_samples", "f1_micro", "f1_macro", "map")
)


def log_start(
    log: RunLog, composed: Composed, data: RunData, stages: RunStages, dataset: Data
) -> None:
    """Log parameters, tags, data set and configuration before anything is computed."""
    samples = data.samples
    own = {"own_val": bool(samples.own_val.any()), "own_test": bool(samples.own_test.any())}
    log.params(run_naming.params(composed.choices, composed.tree, **own))
    tags = {"mmclf.data_digest": dataset.digest}
    tags |= {f"mmclf.precision.{name}": value for name, value in stages.precisions.items()}
    if samples.has_unlabelled:
        # Of samples-F1, as scikit-learn's: one without true and predicted labels scores 1.
        tags["mmclf.zero_division"] = "1"
    tags |= {f"mmclf.samples.{part}": str(len(rows)) for part, rows in data.parts.items()}
    if data.shared_groups > 0:
        tags["mmclf.shared_groups"] = str(data.shared_groups)
    log.tags(tags)
    log.data(dataset)
    with tempfile.TemporaryDirectory() as folder:
        artifacts.write_config(Path(folder), composed.tree, composed.overrides)
        artifacts.write_environment(Path(folder), patch=composed.config.tracking.patch)
        log.artifacts(Path(folder))


def log_end(
    log: RunLog,
    config: Config,
    data: RunData,
    stages: RunStages,
    fit: FitResult,
    threshold: Threshold,
    evaluation: StageResult[EvaluationResult],
    store: Store,
    dataset: Data,
    clock: Stopwatch,
) -> dict[str, float]:
    """Log scores, artifacts, the model, and what it all cost; returns the metrics."""
    metrics = _metrics(fit, evaluation.value, data)
    scored_ms = log.metrics(metrics)
    _log_artifacts(log, config, data, stages, fit, threshold, evaluation.value, store)
    scores = {key: value for key, value in metrics.items() if key in MODEL_SCORES}
    log.model(scores, scored_ms, dataset, config.tracking.register)
    cost = store.get(stages.cost, PredictionCostSerializer())
    # Another process may have fitted to what this one made, before it was signed.
    timings = [store.signed(timing) for timing in evaluation.timings]
    seconds = times(timings) | speeds(timings) | cost_metrics(cost, timings)
    note = run_naming.run_note(log.id, metrics | seconds)
    log.tags(timing_tags(timings, log.id) | cost_tags(cost) | {NOTE: note})
    seconds["time/wall_s"] = clock.elapsed()
    log.metrics(seconds)
    return metrics | seconds


def _metrics(fit: FitResult, evaluation: EvaluationResult, data: RunData) -> dict[str, float]:
    """The metrics without a step."""
    metrics = {**evaluation.metrics, "best_epoch": float(fit.best)}
    if data.images is not None:
        metrics["data/skipped_images"] = float(len(data.images.unreadable))
    return metrics


def _log_artifacts(
    log: RunLog,
    config: Config,
    data: RunData,
    stages: RunStages,
    fit: FitResult,
    threshold: Threshold,
    evaluation: EvaluationResult,
    store: Store,
) -> None:
    """Log predictions, model and figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logits = {part: fit.outputs[part].logits for part in LOGITS}
        artifacts.write_predictions(folder, data.samples, data.parts, logits)
        artifacts.write_model(
            folder, config, data, fit, threshold.empty, evaluation.thresholds, stages.precisions
        )
        if config.tracking.model == "full":
            # Late: docs/architecture.md#late-imports
            from mmclf.pipeline.predict.copied import copy_encoders

            copy_encoders(folder / "model", config.allow_targets, config.allow_model_types)
        write_model_files(folder / "model", LOADER, config.modalities, log.id)
        write_figures(folder, data.samples, data.parts, evaluation.history, store)
        write_error_figure(
            folder, data, logits["test"], evaluation.thresholds, threshold.empty, store
        )
        artifacts.write_skipped(folder, data)
        log.artifacts(folder)
