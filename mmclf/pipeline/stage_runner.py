"""Runs the stages that need torch: encode, fit, and the ablation of modalities in the test set.

Results in the store are not computed again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import torch

from mmclf.config.schema import Config
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.evaluation.threshold_search import Empty
from mmclf.models.classifier import summary
from mmclf.models.describe import describe_encoder
from mmclf.models.description import EncoderDescription
from mmclf.models.encoders import is_fitted
from mmclf.models.weights import as_safetensors
from mmclf.pipeline.cost import PredictionCostSerializer
from mmclf.pipeline.cost_measurement import EncoderCosts, trained_cost
from mmclf.pipeline.distributed.team import Team, team_of
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.fit_result import (
    WEIGHTS,
    FitResult,
    FitResultSerializer,
    SplitOutputsSerializer,
    best_outputs,
    with_outputs,
)
from mmclf.pipeline.modalities import MODALITIES
from mmclf.pipeline.modality_ablation import ablated_outputs
from mmclf.pipeline.run_data import RunData
from mmclf.pipeline.stages import RunStages, StageResolver
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.checkpoints import Checkpoints
from mmclf.storage.store.stage_result import Computed, StageResult
from mmclf.storage.store.store import Store
from mmclf.training import precision
from mmclf.training.checkpoint import CheckpointSerializer, Epoch
from mmclf.training.components import ModelComponents, build_components
from mmclf.training.device import check_precision, pick_device
from mmclf.training.distributed.world import World
from mmclf.training.features import Features, FeaturesSerializer, mean_view
from mmclf.training.fit import FittedModel, fit_model
from mmclf.training.fit_data import FitData
from mmclf.training.keeper import FitKeeper, fit_keeper
from mmclf.training.prediction_cost import BATCH, PredictionCost
from mmclf.training.warm_up import warm_up_training

PROBED = 64  # samples on which precisions are compared: with few, those few would decide
# 64 leave a GPU idle: what is compared then is how fast the CPU launches its work.
PROBED_ON_GPU = 512
WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # without which cuBLAS may vary

Encoded = Mapping[str, Sequence[StageResult[Features]]]


@contextmanager
def deterministic(seed: int, device: torch.device) -> Iterator[None]:
    """Make torch deterministic within the block: set its seed, use deterministic algorithms."""
    was_enabled, was_warn_only = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    settings: Any = torch.utils.deterministic  # typed without its settings
    fill_uninitialized, workspace = settings.fill_uninitialized_memory, os.environ.get(WORKSPACE)
    os.environ.setdefault(WORKSPACE, ":4096:8")
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True)
        # Filling is an aid for debugging, and costs an encoder a quarter of its speed.
        settings.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(was_enabled, warn_only=was_warn_only)
            settings.fill_uninitialized_memory = fill_uninitialized
            if workspace is None:
                os.environ.pop(WORKSPACE, None)


class EpochObserver(Protocol):
    """Gets every epoch of a fit; the `seconds` that it has taken are no part of the fit's."""

    seconds: float

    def log(self, epoch: Epoch) -> None:
        """Take an epoch that has been evaluated."""


@dataclass(frozen=True)
class StageRunner:
    """Runs the stages of a run whose components have been built and checked."""

    config: Config
    data: RunData
    components: ModelComponents
    stages: RunStages
    store: Store
    device: torch.device
    costs: EncoderCosts
    team: Team | None = None

    def encode(self) -> Encoded:
        """The features of the frozen encoders by modality, a result for each view."""
        return {
            name: [self._features(name, view, stage) for view, stage in enumerate(stages)]
            for name, stages in self.stages.features.items()
        }

    def fit(
        self,
        encoded: Encoded,
        empty: Empty,
        epochs: EpochObserver,
        on_resume: Callable[[str], None] = lambda _: None,
    ) -> StageResult[FitResult]:
        """The result of the fit; `epochs` gets every epoch, unless another process fits.

        It goes on where an earlier attempt was; `on_resume` is then called with the run of that.
        """

        def compute() -> Computed[FitResult]:
            warm_up_training(self.device, self.config.trainer.precision)
            clock = Stopwatch()
            data = self._fit_data(encoded)
            with self._keeper(lambda: clock.elapsed() - epochs.seconds) as keeper:
                if keeper.run is not None:
                    on_resume(keeper.run)
                train = fit_model if self.team is None else self.team.fit
                fitted = train(self.components, data, empty, self.device, epochs.log, keeper)
                seconds = keeper.seconds
            timings = [*self.data.timings]
            timings += [t for views in encoded.values() for view in views for t in view.timings]
            result = self._fit_result(fitted, encoded)
            return Computed(result, seconds, fitted.samples_seen, timings)

        return self.store.get_or_compute(self.stages.fit, FitResultSerializer(), compute)

    def _keeper(self, attempt_s: Callable[[], float]) -> AbstractContextManager[FitKeeper]:
        """A keeper of the fit's checkpoints; none are kept in a store that goes with the run."""
        every = self.config.checkpoint_every if self.config.cache == "on" else None
        checkpoints = Checkpoints(self.store, self.stages.fit, CheckpointSerializer())
        return fit_keeper(checkpoints, every, attempt_s)

    def ablate(self, fit: StageResult[FitResult], encoded: Encoded) -> StageResult[FitResult]:
        """The fit's result with test outputs as changed by `at_test`; unchanged without changes.

        The cost of the fit is among the costs of its inputs.
        """
        stage = self.stages.tested
        if stage is None:
            return fit

        def compute() -> Computed[SplitOutputs]:
            data = self._fit_data(encoded)
            clean = replace(data, features={k: views[:1] for k, views in data.features.items()})
            clock = Stopwatch()
            groups = self.data.samples.group_numbers[self.data.parts.test]
            outputs = ablated_outputs(fit.value, self.components, clean, groups, self.device)
            return Computed(outputs, clock.elapsed(), len(outputs.logits), fit.timings)

        tested = self.store.get_or_compute(stage, SplitOutputsSerializer(), compute)
        return with_outputs(fit, tested, {"test": tested.value})

    def cost(self, encoded: Encoded) -> StageResult[PredictionCost]:
        """What a prediction costs: by the frozen encoders, and by what is trained."""

        def compute() -> Computed[PredictionCost]:
            clock = Stopwatch()
            frozen = [self.costs.of(name, self.components, self.device) for name in encoded]
            devices = [self.device] if self.device.type == "cuda" else []
            with torch.random.fork_rng(devices=devices):
                cost = trained_cost(self.components, self._fit_data(encoded), self.device)
            return Computed(sum(frozen, start=cost), clock.elapsed(), BATCH)

        return self.store.get_or_compute(self.stages.cost, PredictionCostSerializer(), compute)

    def _features(self, modality: str, view: int, stage: Any) -> StageResult[Features]:
        def compute() -> Computed[Features]:
            encoder = self.components.encoder(modality)
            encoding, precision = (
                self.components.encodings[modality],
                self.stages.precisions[modality],
            )
            if self.team is not None and not is_fitted(encoder):
                return self.team.encode(encoding, encoder, modality, view, precision, self.device)
            settings, device = self.config.encode, self.device
            return encoding.encode(
                encoder, view, settings=settings, precision=precision, device=device
            )

        return self.store.get_or_compute(stage, FeaturesSerializer(), compute)

    def _fit_data(self, encoded: Encoded) -> FitData:
        samples = self.data.samples
        features = {
            name: [torch.from_numpy(view.value.values) for view in views]
            for name, views in encoded.items()
        }
        means = tuple(name for name in features if MODALITIES[name].has_mean_view(self.data))
        for name in means:
            features[name].insert(0, mean_view(features[name], samples.caption_counts))
        parts = dict(self.data.parts.items())
        return FitData(samples.ids, samples.labels, parts, features, means)

    def _fit_result(self, fitted: FittedModel, encoded: Encoded) -> FitResult:
        descriptions: dict[str, EncoderDescription] = {
            name: encoded[name][0].value.encoder
            if name in encoded
            else describe_encoder(self.components.encoder(name), trained=True)
            for name in self.config.modalities
        }
        files = {
            k: data
            for description in descriptions.values()
            for k, data in description.files.items()
        }
        return FitResult(
            train=tuple(fitted.train),
            val=tuple(fitted.val),
            outputs=best_outputs(fitted.train, fitted.val, fitted.test, fitted.best),
            best=fitted.best,
            summary=summary(fitted.model),
            encoders={name: description.values for name, description in descriptions.items()},
            model=files | {WEIGHTS: as_safetensors(fitted.model)},
        )


@contextmanager
def prepared_runner(
    config: Config,
    data: RunData,
    resolver: StageResolver,
    store: Store,
    world: World | None = None,
) -> Iterator[StageRunner]:
    """A runner of the stages, within a block in which torch is deterministic.

    The processes of a `world` compute them together. Raises InputError for invalid settings of the
    run.
    """
    device = pick_device(config.device, None if world is None else world.local_rank)
    with deterministic(config.seed, device), team_of(world, config) as team:
        check_precision(config.trainer.precision, device)
        stages = resolver.resolve()
        missing = [
            name
            for name in config.modalities
            if not config.encoder(name).trainable
            and (stages is None or any(store.entry(s) is None for s in stages.features[name]))
        ]
        encodings = {name: ENCODINGS[name].of_run(config, data) for name in config.modalities}
        build = partial(build_components, config, encodings, data.labels("train"), missing)
        components = build() if team is None else team.prepare(data, missing, build)
        if stages is None:
            for name in missing:
                _resolve_precision(components, data, name, resolver, device)
            stages = resolver.resolve()
        assert stages is not None
        costs = EncoderCosts(resolver, stages.precisions, data.samples)
        yield StageRunner(config, data, components, stages, store, device, costs, team)


def probe_size(device: torch.device) -> int:
    """How many samples precisions are compared on."""
    return PROBED_ON_GPU if device.type == "cuda" else PROBED


def _resolve_precision(
    components: ModelComponents,
    data: RunData,
    modality: str,
    resolver: StageResolver,
    device: torch.device,
) -> None:
    """Measure the precision that an encoder runs in, if it is `auto` and not cached."""
    encoder = components.encoder(modality)
    if is_fitted(encoder):
        return
    rows = data.parts.train[: probe_size(device)]
    precision.resolve(
        components.config.encode.precision,
        components.encodings[modality].probe(encoder, rows, device),
        name=resolver.precision_name(modality),
        device=device,
        cache=resolver.precisions,
    )
