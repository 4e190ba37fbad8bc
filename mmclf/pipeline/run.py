"""One run: samples, split, encode, fit, decide, metrics, tracking, in this order.

What is stored is not computed again, and what only computing needs, as torch, is not waited for.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mmclf.config.proofs import Proofs
from mmclf.config.schema import Composed, Config
from mmclf.config.validate import checked_parts
from mmclf.errors import InputError
from mmclf.pipeline import artifacts, run_naming
from mmclf.pipeline.evaluation import EvaluationSerializer, Verdict, epoch_scores, judge
from mmclf.pipeline.figures import write_figures
from mmclf.pipeline.fit_result import (
    FitResult,
    FitResultSerializer,
    SplitOutputs,
    SplitOutputsSerializer,
    retested,
)
from mmclf.pipeline.run_data import RunData, gather, open_store
from mmclf.pipeline.stage_keys import data_digest
from mmclf.pipeline.stage_timing import cost_tags, speeds, times
from mmclf.pipeline.stages import Plan, Planner
from mmclf.storage import environment
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.store import Computed, StageResult, Store
from mmclf.storage.tracking import RunLog, Tracker
from mmclf.training.device import describe_device, pick_device

if TYPE_CHECKING:
    from mmclf.pipeline.stage_runner import StageRunner

DATA_DIGITS = 12  # of the digest of a data set that a run is tagged with


@dataclass(frozen=True)
class Result:
    """What a run came to; logits and labels (N, L) of `val` and `test`, thresholds (L,)."""

    run_id: str
    metrics: Mapping[str, float]
    logits: Mapping[str, NDArray[np.float32]]
    labels: Mapping[str, NDArray[np.uint8]]
    thresholds: NDArray[np.float64]
    label_names: Sequence[str]


@dataclass(frozen=True)
class Ready:
    """A run before it starts: its outcome is stored, or there is a computation of it."""

    material: RunData
    plan: Plan
    outcome: StageResult[FitResult] | None
    computation: StageRunner | None


def run(composed: Composed) -> Result:
    """Run one configuration and log it; an error after its start leaves a FAILED run behind.

    Raises InputError for bad input, most of it before the run is registered.
    """
    config, clock = composed.config, Stopwatch()
    environment.check_single_process()
    ran_on = describe_device(config.device)
    tracker = Tracker(config.tracking.uri, config.tracking.experiment, Path(config.output_dir))
    facts = {"hardware": ran_on, "versions": environment.versions(), "commit": environment.commit()}
    start = partial(
        tracker.run,
        *_called(composed, facts),
        config.tracking.parent,
    )
    with ExitStack() as stack:
        try:
            store, sums = stack.enter_context(open_store(config, ran_on))
            if config.cache == "on":
                proofs = Proofs(store.folder, config.allow_targets)
                proofs.add(checked_parts(composed.tree))
            material = gather(config, store, sums)
            planner = Planner(config, material, sums, ran_on)
            ready = _ready(config, material, planner, store, stack)
        except BaseException as error:
            # A single run that bad input stops leaves no trace; a job of a sweep does.
            if isinstance(error, InputError) and config.tracking.parent is None:
                raise
            with start():
                raise
        with start() as log:
            store.sign(log.id)
            log.params(run_naming.flat_params(composed.tree))
            log.tags({"mmclf.data_digest": data_digest(material.samples)[:DATA_DIGITS]})
            with tempfile.TemporaryDirectory() as folder:
                artifacts.write_config(Path(folder), composed.tree, composed.overrides)
                log.artifacts(Path(folder))
            return _finish(composed, ready, store, clock, log)


def _called(composed: Composed, facts: Mapping[str, str | None]) -> tuple[str, dict[str, str]]:
    """The run's name and its tags; a study has called its arm already."""
    choices, overrides, seed = composed.choices, composed.overrides, composed.config.seed
    arm = composed.config.tracking.arm
    if arm is None:
        arm, name = run_naming.arm_name(overrides), run_naming.run_name(choices, overrides)
    else:
        name = run_naming.study_run_name(arm, seed)
    return name, run_naming.run_tags(choices, arm, seed, facts)


def _ready(
    config: Config, material: RunData, planner: Planner, store: Store, stack: ExitStack
) -> Ready:
    plan = planner.plan()
    stored = _stored(plan, store) if plan is not None else None
    if plan is not None and stored is not None:
        return Ready(material, plan, stored, None)
    from mmclf.pipeline.stage_runner import deterministic, prepared

    device = pick_device(config.device)
    stack.enter_context(deterministic(config.seed, device))
    computation = prepared(config, material, planner, store, device)
    return Ready(material, computation.plan, None, computation)


def _stored(plan: Plan, store: Store) -> StageResult[FitResult] | None:
    """The outcome of a plan, or None if it lacks any of its parts."""
    outcome = store.recall(plan.fit, FitResultSerializer())
    if outcome is None or plan.tested is None:
        return outcome
    tested = store.recall(plan.tested, SplitOutputsSerializer())
    return None if tested is None else retested(outcome, tested)


def _finish(
    composed: Composed, ready: Ready, store: Store, clock: Stopwatch, log: RunLog
) -> Result:
    config, material, plan = composed.config, ready.material, ready.plan
    log.tags({f"mmclf.precision.{name}": value for name, value in plan.precisions.items()})
    log.tags({f"mmclf.samples.{part}": str(len(rows)) for part, rows in material.parts.items()})
    outcome, history = _outcome(ready, log)

    def decide() -> Computed[Verdict]:
        # The epochs of a fit that was computed just now have been scored as they went by.
        return judge(material, outcome.value, history or None, outcome.timings)

    verdict = store.result(plan.decide, EvaluationSerializer(), decide)
    if not history:
        log.history(verdict.value.history)
    metrics = dict(verdict.value.metrics)
    if material.gallery is not None:
        metrics["data/skipped_images"] = len(material.gallery.unreadable)
    last_step = len(outcome.value.train) + 1
    log.metrics(metrics, last_step)
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), config, ready, outcome.value, verdict.value, store)
        log.artifacts(Path(folder))
    log.tags(cost_tags(verdict.timings, log.id))
    seconds = times(verdict.timings) | {"time/wall_s": clock.elapsed()} | speeds(verdict.timings)
    log.metrics(seconds, last_step)
    return Result(
        run_id=log.id,
        metrics=metrics | seconds,
        logits={part: outcome.value.parts()[part].logits for part in ("val", "test")},
        labels={part: material.labels(part) for part in ("val", "test")},
        thresholds=verdict.value.thresholds,
        label_names=material.samples.label_names,
    )


def _outcome(ready: Ready, log: RunLog) -> tuple[StageResult[FitResult], list[dict[str, float]]]:
    """The outcome of fit and test, and the scores of epochs that have been logged already."""
    history: list[dict[str, float]] = []
    if ready.computation is None:
        assert ready.outcome is not None
        return ready.outcome, history

    def on_epoch(number: int, train: SplitOutputs, val: SplitOutputs) -> None:
        values = epoch_scores(ready.material, train, val)
        history.append(values)
        log.metrics(values, number)

    outcome = ready.computation.outcome(on_epoch)
    if ready.plan.tested is not None:
        from mmclf.pipeline.modality_ablation import judged_at_test

        outcome = retested(outcome, judged_at_test(ready.computation, outcome, ready.plan.tested))
    return outcome, history


def _write(
    folder: Path, config: Config, ready: Ready, outcome: FitResult, verdict: Verdict, store: Store
) -> None:
    material = ready.material
    logits = {part: outcome.parts()[part].logits for part in ("val", "test")}
    artifacts.write_predictions(folder, material.samples, material.parts, logits)
    thresholds, precisions = verdict.thresholds, ready.plan.precisions
    artifacts.write_model(folder, config, material, outcome, thresholds, precisions)
    write_figures(folder, material.samples, material.parts, verdict.history, store)
    artifacts.write_skipped(folder, material)
