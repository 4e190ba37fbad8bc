"""One run, read from top to bottom: load, split, encode, fit, evaluate, log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mmclf.config.compose import compose
from mmclf.config.schema import Composed
from mmclf.config.targets import build
from mmclf.config.validate import valid_components
from mmclf.config.validation_cache import ValidationCache
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline import artifacts
from mmclf.pipeline.distributed.checks import PROCESSES_TAG, check_processes
from mmclf.pipeline.empty_predictions import with_empty_composed
from mmclf.pipeline.epoch_log import EpochLog
from mmclf.pipeline.evaluation_stage import EvaluationSerializer, evaluate_fit
from mmclf.pipeline.fit_result import (
    FitResult,
    FitResultSerializer,
    SplitOutputsSerializer,
    with_outputs,
)
from mmclf.pipeline.image_size import with_image_size
from mmclf.pipeline.narration import Narrator
from mmclf.pipeline.result import Result, result_of
from mmclf.pipeline.run_data import RunData, load_run_data, open_store
from mmclf.pipeline.run_logging import log_end, log_start
from mmclf.pipeline.run_start import run_starter, track_early_failures
from mmclf.pipeline.stages import RunStages, StageResolver
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.checkpoints import drop_checkpoints
from mmclf.storage.store.stage_result import StageResult
from mmclf.storage.store.store import Store
from mmclf.storage.tracking import RunLog
from mmclf.storage.tracking.leases import Lease
from mmclf.storage.tracking.session import TrackingLocation, remember
from mmclf.training.hardware import describe_device

if TYPE_CHECKING:
    from mmclf.pipeline.stage_runner import StageRunner
    from mmclf.training.distributed.world import World


@dataclass(frozen=True)
class Prepared:
    """A run before its start: all that may be wrong with its input has been looked at.

    Args:
        composed: its config, with what the data decide.
        store: of results.
        data: the samples, split.
        threshold: decides the label sets.
        stages: of the run, with their keys.
        fit: the stored one.
        runner: computes the fit; None where there is a stored one.

    """

    composed: Composed
    store: Store
    data: RunData
    threshold: Threshold
    stages: RunStages
    fit: StageResult[FitResult] | None
    runner: StageRunner | None


def run(
    composed: Composed | str | Sequence[str],
    lease: Lease | None = None,
    narrator: Narrator | None = None,
    world: World | None = None,
) -> Result:
    """Run one configuration and log it; an error after the start leaves a FAILED run.

    What `mmclf.compose` gives, or overrides to compose it of. Under the lease of a study's cell it
    finishes unless another process has taken the cell over, which raises TakenOverError. `narrator`
    is told how it goes; None for one of this run alone. In a `world` of several processes this is
    the main one, and the others follow.

    Raises InputError for invalid input, in most cases before the run is registered, and
    LostProcessError where another process has ended.

    >>> import mmclf
    >>> result = mmclf.run(["data.train=60", "data.test=20", "trainer.epochs=1"])
    >>> result.logits["test"].shape
    (20, 18)
    """
    if not isinstance(composed, Composed):
        composed = compose(composed)
    clock = Stopwatch()
    narrator = narrator if narrator is not None else Narrator()
    check_processes(composed.config, world)
    hardware = describe_device(composed.config.device)
    with ExitStack() as stack:
        stack.enter_context(narrator.shown("opening the tracking database"))
        start = run_starter(composed, hardware, lease)
        with track_early_failures(composed.config, start):
            prepared = _prepare(composed, hardware, narrator, stack, world)
        with start() as log:
            if world is not None:
                log.tags({PROCESSES_TAG: str(world.size)})
            result = _run_prepared(log, prepared, narrator, clock)
            if lease is not None:
                lease.finish(composed.config.tracking.patience_s)
            return result


def _prepare(
    composed: Composed,
    hardware: str,
    narrator: Narrator,
    stack: ExitStack,
    world: World | None,
) -> Prepared:
    """Load and split the data, and look for a stored fit, or build what computes one."""
    composed = with_image_size(composed)
    store = stack.enter_context(open_store(composed.config, hardware))
    if composed.config.cache == "on":
        cache = ValidationCache(store.folder, composed.config.allow_targets)
        cache.add(valid_components(composed.tree))
    data = load_run_data(composed.config, store, narrator=narrator)
    composed = with_empty_composed(composed, data.samples)
    config = composed.config
    threshold: Threshold = build(config.threshold, "threshold", config.allow_targets)
    processes = 1 if world is None else world.size
    resolver = StageResolver(config, data, threshold.empty, store.hasher, hardware, processes)
    stages, runner = resolver.resolve(), None
    fit = _stored_fit(stages, store)
    if fit is None:
        narrator.now("loading PyTorch, and building the model")
        # Late: docs/architecture.md#late-imports
        from mmclf.pipeline.stage_runner import prepared_runner

        runner = stack.enter_context(prepared_runner(config, data, resolver, store, world))
        stages = runner.stages
    assert stages is not None
    return Prepared(composed, store, data, threshold, stages, fit, runner)


def _stored_fit(stages: RunStages | None, store: Store) -> StageResult[FitResult] | None:
    """The stored fit, with the ablated test outputs if there are any; None if one is missing."""
    if stages is None:
        return None
    fit = store.get(stages.fit, FitResultSerializer())
    if fit is None or stages.tested is None:
        return fit
    tested = store.get(stages.tested, SplitOutputsSerializer())
    return None if tested is None else with_outputs(fit, tested, {"test": tested.value})


def _run_prepared(log: RunLog, run: Prepared, narrator: Narrator, clock: Stopwatch) -> Result:
    """Compute what is not stored, and log all of it."""
    config, data, stages = run.composed.config, run.data, run.stages
    run.store.sign(log.id)
    tracking = config.tracking
    remember(log.id, TrackingLocation(tracking.uri, tracking.experiment, config.output_dir))
    dataset = artifacts.dataset(run.composed, data)
    log_start(log, run.composed, data, stages, dataset)
    epochs = EpochLog(log, data, run.threshold)
    fit = run.fit
    if fit is None:
        assert run.runner is not None
        fit = _compute_fit(run.runner, run.threshold, epochs, narrator, log)
    else:
        narrator.fitted(fit)
    drop_checkpoints(run.store, stages.fit)
    narrator.now("deciding thresholds and metrics")
    evaluation = run.store.get_or_compute(
        stages.decide,
        EvaluationSerializer(),
        partial(evaluate_fit, fit, data, run.threshold, epochs.history or None),
    )
    if not epochs.history:
        log.curves(dict(enumerate(evaluation.value.history, start=1)))
    narrator.now("writing figures and artifacts")
    metrics = log_end(
        log, config, data, stages, fit.value, run.threshold, evaluation, run.store, dataset, clock
    )
    return result_of(log, data, fit.value, evaluation.value, metrics)


def _compute_fit(
    runner: StageRunner,
    threshold: Threshold,
    epochs: EpochLog,
    narrator: Narrator,
    log: RunLog,
) -> StageResult[FitResult]:
    """Encode, fit, and test without a modality if that is asked for."""
    narrator.now("encoding")
    encoded = runner.encode()
    for name, views in encoded.items():
        narrator.encoded(name, views)
    narrator.now("fitting")
    fit = runner.fit(encoded, threshold.empty, epochs, log.take_over)
    narrator.fitted(fit)
    narrator.now("testing")
    fit = runner.ablate(fit, encoded)
    runner.cost(encoded)
    return fit
