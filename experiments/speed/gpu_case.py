"""What the figures on a GPU take of mmclf: samples, a run's computation, fits, encoding, scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from gpu_data import Data
from torch import Tensor

from mmclf import compose
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.decoded_images import DecodedImages
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.evaluation_stage import score_epoch
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.stage_runner import deterministic, prepared_runner, probe_size
from mmclf.pipeline.stages import StageResolver
from mmclf.storage.store.entry import Stage, StageTiming
from mmclf.storage.store.store import Store
from mmclf.training import precision
from mmclf.training.checkpoint import Epoch
from mmclf.training.components import build_components
from mmclf.training.device import device_name
from mmclf.training.encode import encode_captions, encode_images, standardise
from mmclf.training.fit import fit_model
from mmclf.training.fit_data import FitData
from mmclf.training.learner import Learner
from mmclf.training.precision import Precision

Scores = Mapping[str, float]
OnEpoch = Callable[[int], None]
PrecisionGain = Mapping[str, float | bool | None]  # of bf16 over fp32, see `precision.measure`


@dataclass
class Phases:
    """Seconds by epoch: of its steps, of its two evaluations, of scoring them."""

    steps: list[float] = field(default_factory=list)
    evaluations: list[float] = field(default_factory=list)  # val, train; of the test set at last
    scoring: list[float] = field(default_factory=list)
    ends: list[float] = field(default_factory=list)  # of the epochs, on time.perf_counter
    began: float = 0.0  # the first of them

    @contextmanager
    def timed(self, device: torch.device) -> Iterator[None]:
        """Time the learner's epochs and evaluations within the block, waiting for the device."""

        def wrapped(method: Callable[..., Any], seconds: list[float]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                started = time.perf_counter()
                self.began = self.began or started
                result = method(*arguments, **named)
                wait_for(device)
                seconds.append(time.perf_counter() - started)
                return result

            return call

        with (
            patch.object(Learner, "epoch", wrapped(Learner.epoch, self.steps)),
            patch.object(Learner, "evaluate", wrapped(Learner.evaluate, self.evaluations)),
        ):
            yield


@dataclass(frozen=True)
class TimedRun:
    """A run's seconds, of which by stage and by phase, and the scores of its last epoch."""

    seconds: float
    started: float
    phases: Phases
    scores: Scores
    timings: Sequence[StageTiming] = ()

    @property
    def before(self) -> float:
        """The seconds until the first step."""
        return self.phases.began - self.started

    @property
    def after(self) -> float:
        """The seconds from the end of the last epoch on."""
        return self.started + self.seconds - self.phases.ends[-1]

    @property
    def epochs(self) -> list[float]:
        """The seconds of each epoch, with its evaluations and scores; of the first, set-up too."""
        ends = [self.started, *self.phases.ends]
        return [end - start for start, end in pairwise(ends)]


class ScoredEpochs:
    """Scores each epoch as a run does, and logs nothing; `seconds` that it has taken so far."""

    def __init__(
        self, data: RunData, threshold: Threshold, phases: Phases, on_epoch: OnEpoch
    ) -> None:
        self._data, self._threshold = data, threshold
        self._phases, self._on_epoch = phases, on_epoch
        self.seconds = 0.0
        self.scores: Scores = {}

    def log(self, epoch: Epoch) -> None:
        """Score an epoch."""
        began = time.perf_counter()
        self.scores = score_epoch(self._data, self._threshold, epoch.train, epoch.val)
        ended = time.perf_counter()
        self._phases.ends.append(ended)
        self._phases.scoring.append(ended - began)
        self._on_epoch(epoch.number)
        self.seconds += time.perf_counter() - began


def wait_for(device: torch.device) -> None:
    """Wait until the device has computed all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def run_stages(
    overrides: Collection[str],
    samples: Data,
    folder: Path,
    device: torch.device,
    on_epoch: OnEpoch = lambda _: None,
) -> TimedRun:
    """A run's encoding and fit with an empty store in `folder`, every epoch scored."""
    config = _config(overrides, samples, device, folder)
    hardware, data = device_name(device), _run_data(samples)
    store = Store(folder / "store", hardware)
    threshold: Threshold = build(config.threshold, "threshold")
    resolver = StageResolver(config, data, threshold.empty, store.hasher, hardware)
    phases = Phases()
    epochs = ScoredEpochs(data, threshold, phases, on_epoch)
    with phases.timed(device):
        started = time.perf_counter()
        with prepared_runner(config, data, resolver, store) as runner:
            fit = runner.fit(runner.encode(), threshold.empty, epochs)
        seconds = time.perf_counter() - started
    return TimedRun(seconds, started, phases, epochs.scores, fit.timings)


def run_fit(
    overrides: Collection[str],
    samples: Data,
    features: Mapping[str, Sequence[Tensor]],
    device: torch.device,
) -> TimedRun:
    """A fit alone, of a head on features (N, D) or of all that is trainable, each epoch scored."""
    config = _config(overrides, samples, device, Path("unused"))
    data = _run_data(samples)
    threshold: Threshold = build(config.threshold, "threshold")
    phases = Phases()
    epochs = ScoredEpochs(data, threshold, phases, lambda _: None)
    with deterministic(config.seed, device), phases.timed(device):
        encodings = {name: ENCODINGS[name].of_run(config, data) for name in config.modalities}
        components = build_components(config, encodings, data.labels("train"), ())
        fit_data = FitData(data.samples.ids, samples.labels, dict(data.parts.items()), features)
        started = time.perf_counter()
        fit_model(components, fit_data, threshold.empty, device, epochs.log)
        seconds = time.perf_counter() - started
    return TimedRun(seconds, started, phases, epochs.scores)


def vision_encoder(overrides: Sequence[str]) -> Any:
    """A frozen image encoder."""
    encoder = build(compose(list(overrides)).config.vision.part, "vision")
    return encoder.eval().requires_grad_(False)


def text_encoder(overrides: Sequence[str], captions: Sequence[str]) -> Any:
    """A frozen text encoder, whose tokenizer is trained on the captions where there is none."""
    node = compose(list(overrides)).config.text.part
    return build(node, "text", train_captions=captions).eval().requires_grad_(False)


def encoded_images(
    encoder: Any, data: Data, in_precision: Precision, batch_size: int, device: torch.device
) -> Tensor:
    """The features (N, D) of the pictures, as a run computes them."""
    with deterministic(0, device):
        return encode_images(
            encoder,
            data.pictures,
            np.arange(len(data.pictures)),
            make_view=lambda pictures: pictures,
            batch_size=batch_size,
            precision=in_precision,
            device=device,
            advance=lambda _: None,
        )


def encoded_captions(
    encoder: Any, data: Data, in_precision: Precision, batch_size: int, device: torch.device
) -> Tensor:
    """The features (N, D) of the captions, as a run computes them."""
    with deterministic(0, device):
        return encode_captions(
            encoder,
            data.captions,
            batch_size=batch_size,
            precision=in_precision,
            device=device,
            advance=lambda _: None,
        )


def vision_precision(encoder: Any, data: Data, device: torch.device) -> PrecisionGain:
    """What mmclf measures of an image encoder's precisions; the encoder is left on the device."""
    encoder.to(device=device, memory_format=torch.channels_last)
    probed = torch.from_numpy(data.pictures[: probe_size(device)].copy()).to(device)
    with deterministic(0, device):
        return precision.measure(lambda: encoder(standardise(encoder, probed)), device)


def text_precision(encoder: Any, data: Data, device: torch.device) -> PrecisionGain:
    """The same of a text encoder."""
    tokens = encoder.to(device).tokenize(data.captions[: probe_size(device)])
    batch = {name: value.to(device) for name, value in tokens.items()}
    with deterministic(0, device):
        return precision.measure(lambda: encoder(batch), device)


def chosen_precision(gain: PrecisionGain) -> Precision:
    """The precision that mmclf takes."""
    return "bf16" if gain["bf16"] else "fp32"


def _config(
    overrides: Collection[str], samples: Data, device: torch.device, folder: Path
) -> Config:
    size = samples.pictures.shape[1]
    own = [f"device={device.type}", f"image.size={size}", f"output_dir={folder}"]
    return compose([*overrides, *own]).config


def _run_data(data: Data) -> RunData:
    count = len(data.captions)
    names = tuple(map(str, range(data.labels.shape[1])))
    samples = Samples(
        ids=tuple(map(str, range(count))),
        images=tuple(Path(f"{number}.jpg") for number in range(count)),
        captions=data.captions,
        labels=data.labels,
        label_ids=names,
        label_names=names,
        own_val=np.zeros(count, dtype=bool),
        own_test=np.zeros(count, dtype=bool),
    )
    stage = Stage("pictures", 0, {"generated": count})
    timing = StageTiming(stage.name, stage.key, 0.0, count, "", None)
    images = DecodedImages(stage, {}, timing, lambda: data.pictures)
    train, val, test = np.split(np.arange(count), [data.train, data.train + data.val])
    return RunData(samples, Parts(train, val, test), images, ())
