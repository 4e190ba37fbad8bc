"""A fit on the stored features of a finished run, as mmclf makes it and as one would by hand."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from by_hand import Batches, batches_of_epochs, fit_by_hand
from encoders import CPU
from torch import Tensor

from mmclf import compose
from mmclf.config.schema import Config
from mmclf.evaluation import scores
from mmclf.pipeline.components import Inputs, prepare
from mmclf.pipeline.evaluation import epoch_scores
from mmclf.pipeline.fit import fit_model
from mmclf.pipeline.fit_result import SplitOutputs
from mmclf.pipeline.run_data import gather, open_store
from mmclf.pipeline.stage_runner import deterministic
from mmclf.pipeline.stages import Planner
from mmclf.training.device import describe_device
from mmclf.training.features import FeaturesSerializer
from mmclf.training.trainer import Epoch, Evaluation


@dataclass(frozen=True)
class FitCase:
    """What a fit starts from: features (N, D) of all samples by modality, one view each."""

    config: Config
    inputs: Inputs
    features: Mapping[str, Sequence[Tensor]]
    drawn: Sequence[Batches]

    def by_mmclf(self) -> tuple[float, Tensor]:
        """The seconds of a fit by mmclf, every epoch scored as a run does, and its test logits."""

        def on_epoch(epoch: Epoch) -> None:
            self._score(epoch.train, epoch.val)

        started = time.perf_counter()
        with deterministic(self.config.seed, CPU):
            fitted = fit_model(self.config, self.inputs, self.features, CPU, on_epoch)
        return time.perf_counter() - started, fitted.test.logits

    def by_hand(self) -> tuple[float, Tensor]:
        """The same of the hand-written loop."""
        material = self.inputs.material
        parts = [torch.from_numpy(rows) for _, rows in material.parts.items()]
        started = time.perf_counter()
        logits = fit_by_hand(
            [views[0] for views in self.features.values()],
            torch.from_numpy(material.samples.labels).float(),
            parts,
            self.drawn,
            self.inputs.loss,
            dropout=self.config.head.dropout,
            seed=self.config.seed,
            judge=self._judge,
        )
        return time.perf_counter() - started, logits

    def _judge(self, train: Evaluation, val: Evaluation) -> float:
        self._score(train, val)
        material = self.inputs.material
        chances = scores.probabilities_of(val.logits.numpy())
        monitor, empty = self.config.trainer.monitor, material.threshold.empty
        return scores.monitored(monitor, val.loss, material.labels("val"), chances, empty)

    def _score(self, train: Evaluation, val: Evaluation) -> None:
        judged = [SplitOutputs(one.loss, one.logits.numpy()) for one in (train, val)]
        epoch_scores(self.inputs.material, *judged)


def fit_case(overrides: Sequence[str]) -> FitCase:
    """The fit of a run of these overrides, whose features are stored; others must be too."""
    config = compose(overrides).config
    ran_on = describe_device(config.device)
    with open_store(config, ran_on) as (store, sums):
        material = gather(config, store, sums)
        plan = Planner(config, material, sums, ran_on).plan()
        assert plan is not None, "the run has not been made"
        features = {}
        for name, (stage,) in plan.features.items():
            found = store.recall(stage, FeaturesSerializer())
            assert found is not None, "the run has not been made"
            features[name] = [torch.from_numpy(found.value.values)]
    drawn = batches_of_epochs(
        len(material.parts.train),
        epochs=config.trainer.epochs,
        batch_size=config.trainer.batch_size,
        modalities=len(features),
        seed=config.seed,
    )
    return FitCase(config, prepare(config, material, ()), features, drawn)
