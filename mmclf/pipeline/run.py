"""One run, read from top to bottom: load, split, encode, fit, evaluate, log."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.config.schema import Composed, Config
from mmclf.config.targets import build
from mmclf.config.validate import valid_components
from mmclf.config.validation_cache import ValidationCache
from mmclf.errors import InputError
from mmclf.evaluation.evaluate import EpochScores, EvaluationResult
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline import artifacts, run_naming
from mmclf.pipeline.empty_predictions import with_empty_composed
from mmclf.pipeline.epoch_log import EpochLog
from mmclf.pipeline.evaluation_stage import EvaluationSerializer, evaluate_fit
from mmclf.pipeline.figures import write_figures
from mmclf.pipeline.fit_result import (
    FitResult,
    FitResultSerializer,
    SplitOutputsSerializer,
    with_outputs,
)
from mmclf.pipeline.image_size import with_image_size
from mmclf.pipeline.run_data import RunData, load_run_data, open_store
from mmclf.pipeline.stage_timing import speeds, times, timing_tags
from mmclf.pipeline.stages import RunStages, StageResolver, data_digest
from mmclf.storage import environment
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.checkpoints import drop_checkpoints
from mmclf.storage.store.store import StageResult, Store
from mmclf.storage.tracking import RunLog, Tracker
from mmclf.storage.tracking.leases import LEASE_TAG, Lease
from mmclf.training.hardware import describe_device

DATA_DIGITS = 12  # of the digest of a data set that a run is tagged with
LOGITS = ("val", "test")  # the parts whose logits a run keeps

Start = Callable[[], AbstractContextManager[RunLog]]


@dataclass(frozen=True)
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

    """

    run_id: str
    metrics: Mapping[str, float]
    history: Sequence[EpochScores]
    ids: Mapping[str, Sequence[str]]
    logits: Mapping[str, NDArray[np.float32]]
    labels: Mapping[str, NDArray[np.uint8]]
    thresholds: NDArray[np.float64]
    label_names: Sequence[str]


def run(composed: Composed, lease: Lease | None = None) -> Result:
    """Run one configuration and log it; an error after the start leaves a FAILED run.

    Under the lease of a study's cell it finishes unless another process has taken the cell over,
    which raises TakenOverError.

    Raises InputError for invalid input, in most cases before the run is registered.

    >>> import mmclf
    >>> config = mmclf.compose(["data.train=60", "data.test=20", "trainer.epochs=1"])
    >>> result = mmclf.run(config)
    >>> result.logits["test"].shape
    (20, 18)
    """
    config, clock = composed.config, Stopwatch()
    environment.check_single_process()
    hardware = describe_device(config.device)
    start = _run_starter(composed, hardware, lease)
    with ExitStack() as stack:
        with _track_early_failures(config, start):
            composed = with_image_size(composed)
            config = composed.config
            store = stack.enter_context(open_store(config, hardware))
            if config.cache == "on":
                cache = ValidationCache(store.folder, config.allow_targets)
                cache.add(valid_components(composed.tree))
            data = load_run_data(config, store)
            composed = with_empty_composed(composed, data.samples)
            config = composed.config
            threshold: Threshold = build(config.threshold, "threshold", config.allow_targets)
            resolver = StageResolver(config, data, threshold.empty, store.hasher, hardware)
            stages = resolver.resolve()
            fit = _stored_fit(stages, store)
            if fit is None:
                # Late: docs/architecture.md#late-imports
                from mmclf.pipeline.stage_runner import prepared_runner

                runner = stack.enter_context(prepared_runner(config, data, resolver, store))
                stages = runner.stages
            assert stages is not None
        with start() as log:
            store.sign(log.id)
            _log_start(log, composed, data, stages)
            epochs = EpochLog(log, data, threshold)
            if fit is None:
                encoded = runner.encode()
                fit = runner.fit(encoded, threshold.empty, epochs, log.take_over)
                fit = runner.ablate(fit, encoded)
            drop_checkpoints(store, stages.fit)
            evaluation = store.get_or_compute(
                stages.decide,
                EvaluationSerializer(),
                partial(evaluate_fit, fit, data, threshold, epochs.history or None),
            )
            if not epochs.history:
                log.curves(dict(enumerate(evaluation.value.history, start=1)))
            metrics = _metrics(fit.value, evaluation.value, data)
            log.metrics(metrics)
            _log_artifacts(log, config, data, stages, fit.value, threshold, evaluation.value, store)
            log.tags(timing_tags(evaluation.timings, log.id))
            seconds = times(evaluation.timings) | speeds(evaluation.timings)
            seconds["time/wall_s"] = clock.elapsed()
            log.metrics(seconds)
            if lease is not None:
                lease.finish(config.tracking.patience_s)
            return _result(log.id, data, fit.value, evaluation.value, metrics | seconds)


def _run_starter(composed: Composed, hardware: str, lease: Lease | None) -> Start:
    """A function that starts the tracked run, named by its arm if it belongs to a study."""
    config, choices, overrides = composed.config, composed.choices, composed.overrides
    arm, seed = config.tracking.arm, config.seed
    name = run_naming.study_run_name(arm, seed) if arm is not None else None
    facts = {
        "hardware": hardware,
        "versions": environment.versions(),
        "commit": environment.commit(),
    }
    tracker = Tracker(
        config.tracking.uri,
        config.tracking.experiment,
        Path(config.output_dir),
        patience_s=config.tracking.patience_s,
    )
    return partial(
        tracker.run,
        name if name is not None else run_naming.run_name(choices, overrides),
        run_naming.run_tags(
            choices, arm if arm is not None else run_naming.arm_name(overrides), seed, facts
        )
        | ({LEASE_TAG: lease.name} if lease is not None else {}),
        config.tracking.parent,
    )


@contextmanager
def _track_early_failures(config: Config, start: Start) -> Iterator[None]:
    """Register a FAILED run for an error in the block, before the run's start.

    Except for a single run with invalid input, which is not registered.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, InputError) and config.tracking.parent is None:
            raise
        with start():
            raise


def _stored_fit(stages: RunStages | None, store: Store) -> StageResult[FitResult] | None:
    """The stored fit, with the ablated test outputs if there are any; None if one is missing."""
    if stages is None:
        return None
    fit = store.get(stages.fit, FitResultSerializer())
    if fit is None or stages.tested is None:
        return fit
    tested = store.get(stages.tested, SplitOutputsSerializer())
    return None if tested is None else with_outputs(fit, tested, {"test": tested.value})


def _log_start(log: RunLog, composed: Composed, data: RunData, stages: RunStages) -> None:
    """Log parameters, tags and configuration before anything is computed."""
    log.params(run_naming.params(composed.choices, composed.tree))
    tags = {"mmclf.data_digest": data_digest(data.samples)[:DATA_DIGITS]}
    tags |= {f"mmclf.precision.{name}": value for name, value in stages.precisions.items()}
    if data.samples.has_unlabelled:
        # Of samples-F1, as scikit-learn's: one without true and predicted labels scores 1.
        tags["mmclf.zero_division"] = "1"
    tags |= {f"mmclf.samples.{part}": str(len(rows)) for part, rows in data.parts.items()}
    if data.shared_groups > 0:
        tags["mmclf.shared_groups"] = str(data.shared_groups)
    log.tags(tags)
    with tempfile.TemporaryDirectory() as folder:
        artifacts.write_config(Path(folder), composed.tree, composed.overrides)
        log.artifacts(Path(folder))


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
        write_figures(folder, data.samples, data.parts, evaluation.history, store)
        artifacts.write_skipped(folder, data)
        log.artifacts(folder)


def _result(
    run_id: str,
    data: RunData,
    fit: FitResult,
    evaluation: EvaluationResult,
    metrics: Mapping[str, float],
) -> Result:
    return Result(
        run_id=run_id,
        metrics=metrics,
        history=evaluation.history,
        ids={part: [data.samples.ids[i] for i in data.parts[part]] for part in LOGITS},
        logits={part: fit.outputs[part].logits for part in LOGITS},
        labels={part: data.labels(part) for part in LOGITS},
        thresholds=evaluation.thresholds,
        label_names=data.samples.label_names,
    )
