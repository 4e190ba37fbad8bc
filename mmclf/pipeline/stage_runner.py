"""What the store lacks of a run: its features and its fit, computed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmclf.config.schema import Config
from mmclf.models.classifier import summary
from mmclf.models.description import Description, describe_encoder
from mmclf.models.weights import as_safetensors
from mmclf.pipeline.components import Inputs, prepare
from mmclf.pipeline.fit import Fitted, fit_model
from mmclf.pipeline.fit_result import WEIGHTS, FitResult, FitResultSerializer, SplitOutputs
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.stages import Plan, Planner
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.entry import Stage, StageTiming
from mmclf.storage.store.store import Computed, StageResult, Store
from mmclf.training import precision
from mmclf.training.device import check_precision
from mmclf.training.encode import standardise
from mmclf.training.features import Features, FeaturesSerializer, encode_text, encode_view
from mmclf.training.trainer import Epoch, Evaluation

PROBED = 64  # samples on which precisions are compared: with few, those few would decide

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # without which cuBLAS may vary

OnEpoch = Callable[[int, SplitOutputs, SplitOutputs], None]


@contextmanager
def deterministic(seed: int, device: torch.device) -> Iterator[None]:
    """Make torch repeat itself within the block: its seed set, no algorithm that varies."""
    is_on, only_warns = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    settings: Any = torch.utils.deterministic  # typed as if it had no settings
    filled, workspace = settings.fill_uninitialized_memory, os.environ.get(WORKSPACE)
    os.environ.setdefault(WORKSPACE, ":4096:8")
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        # An aid to find reads of unwritten memory, which costs an encoder a quarter of its speed.
        settings.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(is_on, warn_only=only_warns)
            settings.fill_uninitialized_memory = filled
            if workspace is None:
                os.environ.pop(WORKSPACE, None)


@dataclass(frozen=True)
class StageRunner:
    """A run whose fit is to be computed, everything that it takes prepared."""

    config: Config
    inputs: Inputs
    plan: Plan
    store: Store
    device: torch.device

    def outcome(self, on_epoch: OnEpoch) -> StageResult[FitResult]:
        """The outcome of the fit; `on_epoch` is told of every epoch, unless another process fits.

        Its arguments are the epoch's number, and train and val after it.
        """
        return self.store.result(self.plan.fit, FitResultSerializer(), lambda: self._fit(on_epoch))

    def clean_features(self) -> dict[str, Tensor]:
        """The features (N, D) of all samples, not augmented, by modality of the frozen encoders."""
        found = {
            name: self._view(name, 0, stages[0]).value.values
            for name, stages in self.plan.features.items()
        }
        return {name: torch.from_numpy(values) for name, values in found.items()}

    def _fit(self, on_epoch: OnEpoch) -> Computed[FitResult]:
        found = {name: self._features(name) for name in self.plan.features}
        views = {
            name: [torch.from_numpy(one.value.values) for one in results]
            for name, results in found.items()
        }
        clock = Stopwatch()

        def told(epoch: Epoch) -> None:
            with clock.stage("telling"):
                on_epoch(epoch.number, _judged(epoch.train), _judged(epoch.val))

        fitted = fit_model(self.config, self.inputs, views, self.device, told)
        seconds = clock.elapsed() - clock.seconds.get("telling", 0.0)
        timings: list[StageTiming] = [*self.inputs.material.timings]
        timings += [
            timing for results in found.values() for one in results for timing in one.timings
        ]
        frozen = {name: results[0].value.encoder for name, results in found.items()}
        outcome = _outcome(self.config, self.inputs, fitted, frozen)
        return Computed(outcome, seconds, fitted.samples_seen, timings)

    def _features(self, modality: str) -> list[StageResult[Features]]:
        stages = self.plan.features[modality]
        return [self._view(modality, view, stage) for view, stage in enumerate(stages)]

    def _view(self, modality: str, view: int, stage: Stage) -> StageResult[Features]:
        material, how = self.inputs.material, self.plan.precisions[modality]

        def compute() -> Computed[Features]:
            encoder = self.inputs.encoder(modality)
            if modality == "text":
                return encode_text(
                    encoder,
                    material.samples.captions,
                    material.parts.train,
                    settings=self.config.encode,
                    precision=how,
                    device=self.device,
                )
            assert material.gallery is not None
            return encode_view(
                encoder,
                material.gallery.pictures,
                _rows(material, view),
                view=view,
                augment=self.config.augment,
                settings=self.config.encode,
                precision=how,
                device=self.device,
            )

        return self.store.result(stage, FeaturesSerializer(), compute)


def prepared(
    config: Config, material: RunData, planner: Planner, store: Store, device: torch.device
) -> StageRunner:
    """A computation of a run; raises InputError for all that its settings can spoil."""
    check_precision(config.trainer.precision, device)
    plan = planner.plan()
    missing = [
        name
        for name in config.modalities
        if not config.encoder(name).trainable
        and (plan is None or any(store.find(stage) is None for stage in plan.features[name]))
    ]
    inputs = prepare(config, material, missing)
    if plan is None:
        for name in missing:
            _resolve_precision(config, inputs, name, planner, device)
        plan = planner.plan()
    assert plan is not None
    return StageRunner(config, inputs, plan, store, device)


def _resolve_precision(
    config: Config, inputs: Inputs, modality: str, planner: Planner, device: torch.device
) -> None:
    encoder, material = inputs.encoder(modality), inputs.material
    if hasattr(encoder, "fit"):
        return
    rows = material.parts.train[:PROBED]
    if modality == "vision":
        assert material.gallery is not None
        encoder.to(device=device, memory_format=torch.channels_last)
        pictures = torch.from_numpy(material.gallery.pictures[rows]).to(device)

        def forward() -> Tensor:
            features: Tensor = encoder(standardise(encoder, pictures))
            return features
    else:
        tokens = encoder.to(device).tokenize([material.samples.captions[i] for i in rows])
        sent = {name: value.to(device) for name, value in tokens.items()}

        def forward() -> Tensor:
            features: Tensor = encoder(sent)
            return features

    precision.resolve(
        config.encode.precision,
        forward,
        name=planner.precision_name(modality),
        device=device,
        memory=planner.precisions,
    )


def _rows(material: RunData, view: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The samples with a picture; of a view but the clean one those that may be trained on."""
    assert material.gallery is not None
    chosen = np.ones(len(material.samples), dtype=bool)
    chosen[list(material.gallery.unreadable)] = False
    if view > 0:
        chosen &= ~material.samples.own_test
    return np.flatnonzero(chosen)


def _judged(evaluation: Evaluation) -> SplitOutputs:
    return SplitOutputs(evaluation.loss, evaluation.logits.numpy())


def _outcome(
    config: Config, inputs: Inputs, fitted: Fitted, frozen: Mapping[str, Description]
) -> FitResult:
    described: dict[str, Description] = {}
    for name in config.modalities:
        trained = name not in frozen
        described[name] = (
            describe_encoder(inputs.encoder(name), trained=True) if trained else frozen[name]
        )
    files = {k: data for one in described.values() for k, data in one.files.items()}
    return FitResult(
        train=_series(fitted.train),
        val=_series(fitted.val),
        test=_judged(fitted.test),
        best=fitted.best,
        summary=summary(fitted.model),
        encoders={name: one.about for name, one in described.items()},
        model=files | {WEIGHTS: as_safetensors(fitted.model)},
    )


def _series(evaluations: Sequence[Evaluation]) -> tuple[SplitOutputs, ...]:
    return tuple(map(_judged, evaluations))
