"""A fit on the stored features of a finished run, as mmclf makes it and as one would by hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from by_hand import Batches, batches_of_epochs, fit_by_hand
from encoders import CPU
from torch import Tensor

from mmclf import compose
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.evaluation import scores
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.evaluation_stage import score_epoch
from mmclf.pipeline.run_data import RunData, load_run_data, open_store
from mmclf.pipeline.stage_runner import deterministic
from mmclf.pipeline.stages import StageResolver
from mmclf.training.checkpoint import Epoch
from mmclf.training.components import ModelComponents, build_components
from mmclf.training.features import FeaturesSerializer
from mmclf.training.fit import fit_model
from mmclf.training.fit_data import FitData
from mmclf.training.hardware import describe_device


@dataclass(frozen=True)
class FitCase:
    """What a fit starts from, one view of the features of each modality."""

    config: Config
    data: RunData
    fit_data: FitData
    threshold: Threshold
    components: ModelComponents
    drawn: Sequence[Batches]

    def by_mmclf(self) -> tuple[float, Tensor]:
        """The seconds of a fit by mmclf, every epoch scored as a run does, and its test logits."""

        def on_epoch(epoch: Epoch) -> None:
            self._score(epoch.train, epoch.val)

        started = time.perf_counter()
        with deterministic(self.config.seed, CPU):
            fitted = fit_model(self.components, self.fit_data, self.threshold.empty, CPU, on_epoch)
        return time.perf_counter() - started, torch.from_numpy(fitted.test.logits)

    def by_hand(self) -> tuple[float, Tensor]:
        """The same of the hand-written loop."""
        parts = [torch.from_numpy(rows) for _, rows in self.data.parts.items()]
        started = time.perf_counter()
        logits = fit_by_hand(
            [views[0] for views in self.fit_data.features.values()],
            torch.from_numpy(self.data.samples.labels).float(),
            parts,
            self.drawn,
            self.components.loss,
            dropout=self.config.head.dropout,
            seed=self.config.seed,
            score_of=self._score_of,
        )
        return time.perf_counter() - started, logits

    def _score_of(self, train: SplitOutputs, val: SplitOutputs) -> float:
        self._score(train, val)
        chances = scores.probabilities_of(val.logits)
        monitor, empty = self.config.trainer.monitor, self.threshold.empty
        return scores.monitored(monitor, val.loss, self.data.labels("val"), chances, empty)

    def _score(self, train: SplitOutputs, val: SplitOutputs) -> None:
        score_epoch(self.data, self.threshold, train, val)


def fit_case(overrides: Sequence[str]) -> FitCase:
    """The fit of a run of these overrides, whose features are stored; others must be too."""
    config = compose(overrides).config
    hardware = describe_device(config.device)
    threshold: Threshold = build(config.threshold, "threshold")
    with open_store(config, hardware) as store:
        data = load_run_data(config, store)
        resolver = StageResolver(config, data, threshold.empty, store.hasher, hardware)
        stages = resolver.resolve()
        assert stages is not None, "the run has not been made"
        features = {}
        for name, (stage,) in stages.features.items():
            stored = store.get(stage, FeaturesSerializer())
            assert stored is not None, "the run has not been made"
            features[name] = [torch.from_numpy(stored.value.values)]
    drawn = batches_of_epochs(
        len(data.parts.train),
        epochs=config.trainer.epochs,
        batch_size=config.trainer.batch_size,
        modalities=len(features),
        seed=config.seed,
    )
    encodings = {name: ENCODINGS[name].of_run(config, data) for name in config.modalities}
    components = build_components(config, encodings, data.labels("train"), ())
    samples = data.samples
    fit_data = FitData(samples.ids, samples.labels, dict(data.parts.items()), features)
    return FitCase(config, data, fit_data, threshold, components, drawn)
