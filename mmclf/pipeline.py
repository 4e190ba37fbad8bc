"""One run: samples, split, encode, fit, decide, metrics, tracking, in this order."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmclf import artifacts, hardware, names, scores
from mmclf.config.schema import Composed, Config
from mmclf.errors import InputError
from mmclf.features import Encoded, EncoderPlace, encode_text, encode_vision
from mmclf.fitting import Fitted, fit_model
from mmclf.inputs import Inputs, prepare
from mmclf.timing import Stopwatch
from mmclf.tracking import RunLog, Tracker
from mmclf.trainer import Epoch, Evaluation


@dataclass(frozen=True)
class Result:
    """What a run came to; logits and labels (N, L) of `val` and `test`, thresholds (L,)."""

    run_id: str
    metrics: Mapping[str, float]
    logits: Mapping[str, NDArray[np.float32]]
    labels: Mapping[str, NDArray[np.uint8]]
    thresholds: NDArray[np.float64]
    label_names: Sequence[str]


def run(composed: Composed) -> Result:
    """Run one configuration and log it; an error after its start leaves a FAILED run behind.

    Raises InputError for bad input, most of it before the run is registered.
    """
    config, clock = composed.config, Stopwatch()
    hardware.check_single_process()
    hardware.keep_freed_memory()
    device = hardware.pick_device(config.device)
    hardware.check_precision(config.trainer.precision, device)
    tracker = Tracker(config.tracking.uri, config.tracking.experiment, Path(config.output_dir))
    facts = {
        "hardware": hardware.describe(device),
        "versions": hardware.versions(),
        "commit": hardware.commit(),
    }
    start = partial(
        tracker.run,
        names.run_name(composed.choices, composed.overrides),
        names.run_tags(composed.choices, composed.overrides, config.seed, facts),
        config.tracking.parent,
    )
    with deterministic(config.seed, device):
        try:
            inputs = prepare(config)
        except BaseException as error:
            # A single run that bad input stops leaves no trace; a job of a sweep does.
            if isinstance(error, InputError) and config.tracking.parent is None:
                raise
            with start():
                raise
        with start() as log:
            log.params(names.flat_params(composed.tree))
            with tempfile.TemporaryDirectory() as folder:
                artifacts.write_config(Path(folder), composed.tree, composed.overrides)
                log.artifacts(Path(folder))
            return _compute(composed, inputs, device, clock, log)


@contextmanager
def deterministic(seed: int, device: torch.device) -> Iterator[None]:
    """Make torch repeat itself within the block: its seed set, no algorithm that varies."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    settings: Any = torch.utils.deterministic  # typed as if it had no settings
    filled = settings.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        # An aid to find reads of unwritten memory, which costs an encoder a quarter of its speed.
        settings.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)
            settings.fill_uninitialized_memory = filled


def _compute(
    composed: Composed, inputs: Inputs, device: torch.device, clock: Stopwatch, log: RunLog
) -> Result:
    config = composed.config
    encoded = _encode(config, inputs, device)
    decoding = inputs.gallery.seconds if inputs.gallery is not None else 0.0
    clock.add("encode", decoding + sum(one.seconds for one in encoded.values()))
    log.tags({f"mmclf.precision.{name}": one.precision for name, one in encoded.items()})

    fitted, history = _fit(config, inputs, encoded, device, clock, log)

    with clock.stage("decide"):
        thresholds, metrics = _decide(inputs, fitted.evaluations)
    if inputs.gallery is not None:
        metrics["data/skipped_images"] = len(inputs.gallery.unreadable)
    last_step = fitted.epochs + 1
    log.metrics(metrics, last_step)

    logits = {part: fitted.evaluations[part].logits.numpy() for part in ("val", "test")}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        artifacts.write_predictions(folder, inputs.samples, inputs.parts, logits)
        precisions = {name: one.precision for name, one in encoded.items()}
        artifacts.write_model(folder, config, inputs, fitted.model, thresholds, precisions)
        artifacts.write_figures(folder, inputs.samples, inputs.parts, history)
        artifacts.write_skipped(folder, inputs)
        log.artifacts(folder)

    times = _times(fitted, encoded, clock)
    log.metrics(times, last_step)
    return Result(
        run_id=log.id,
        metrics=metrics | times,
        logits=logits,
        labels={part: inputs.labels(part) for part in ("val", "test")},
        thresholds=thresholds,
        label_names=inputs.samples.label_names,
    )


def _encode(config: Config, inputs: Inputs, device: torch.device) -> dict[str, Encoded]:
    """The features of the encoders that are frozen."""
    memory = Path(config.store.dir) / "precision"
    encoded = {}
    for modality, encoder in inputs.encoders.items():
        if modality in inputs.trainable:
            continue
        node = config.encoder(modality).part
        name = repr([*sorted(node.items()), ("image.size", config.image.size)])
        place = EncoderPlace(name, device, memory)
        if modality == "vision":
            assert inputs.gallery is not None
            views = config.augment.views
            encoded[modality] = encode_vision(
                encoder,
                inputs.gallery.pictures,
                dict(inputs.parts.items()),
                views={"train": views, "val": views if config.trainer.refit else 1, "test": 1},
                augment=config.augment,
                settings=config.encode,
                place=place,
            )
        else:
            encoded[modality] = encode_text(
                encoder, inputs.samples, inputs.parts, settings=config.encode, place=place
            )
    return encoded


def _fit(
    config: Config,
    inputs: Inputs,
    encoded: Mapping[str, Encoded],
    device: torch.device,
    clock: Stopwatch,
    log: RunLog,
) -> tuple[Fitted, dict[str, list[float]]]:
    """The trained model, and the history of the metrics by epoch."""
    history: dict[str, list[float]] = {}

    def on_epoch(epoch: Epoch) -> None:
        with clock.stage("logging"):
            values = _epoch_scores(inputs, epoch)
            for key, value in values.items():
                history.setdefault(key, []).append(value)
            log.metrics(values, epoch.number)

    features = {modality: one.features for modality, one in encoded.items()}
    with clock.stage("fit"):
        fitted = fit_model(config, inputs, features, device, on_epoch)
    clock.add("fit", -clock.seconds["logging"])
    fitted.model.cpu()
    return fitted, history


def _epoch_scores(inputs: Inputs, epoch: Epoch) -> dict[str, float]:
    chances = {
        "train": scores.probabilities_of(epoch.train.logits),
        "val": scores.probabilities_of(epoch.val.logits),
    }
    thresholds = inputs.threshold.fit(chances["val"], inputs.labels("val"))
    empty = inputs.threshold.empty
    losses = {"train": epoch.train.loss, "val": epoch.val.loss}
    return {
        key: value
        for part in ("train", "val")
        for key, value in scores.part_scores(
            part, losses[part], inputs.labels(part), chances[part], thresholds, empty
        ).items()
    }


def _decide(
    inputs: Inputs, evaluations: Mapping[str, Evaluation]
) -> tuple[NDArray[np.float64], dict[str, float]]:
    empty = inputs.threshold.empty
    chances = {part: scores.probabilities_of(e.logits) for part, e in evaluations.items()}
    thresholds, fitted = scores.fit_thresholds(
        inputs.threshold, inputs.labels("val"), chances["val"]
    )
    metrics: dict[str, float] = {}
    for part, evaluation in evaluations.items():
        labels, chance = inputs.labels(part), chances[part]
        metrics |= scores.part_scores(part, evaluation.loss, labels, chance, thresholds, empty)
        if part != "train":
            metrics |= scores.common_threshold_scores(part, labels, chance, fitted, empty)
    metrics |= scores.label_scores(
        inputs.samples.label_names, inputs.labels("test"), chances["test"], thresholds, empty
    )
    return thresholds, metrics


def _times(fitted: Fitted, encoded: Mapping[str, Encoded], clock: Stopwatch) -> dict[str, float]:
    stages = {f"time/{name}_s": clock.seconds[name] for name in ("encode", "fit", "decide")}
    speeds = {
        f"speed/{'images' if modality == 'vision' else 'captions'}_per_s": one.count / one.seconds
        for modality, one in encoded.items()
    }
    return {
        **stages,
        "time/cold_s": sum(stages.values()),
        "time/wall_s": clock.elapsed(),
        **speeds,
        "speed/fit_samples_per_s": fitted.samples_seen / clock.seconds["fit"],
    }
