"""Fit a run's model: the best epoch, and the refit on train and val together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor

from mmclf.evaluation import scores
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.evaluation.threshold_search import Empty
from mmclf.models.build import make_model, make_optimizer
from mmclf.models.classifier import Classifier
from mmclf.training.batches import FeatureInput, ModalityInput, TrainingSet
from mmclf.training.components import ModelComponents
from mmclf.training.device import accelerator_on
from mmclf.training.trainer import Epoch, Learner, fit, refit, steps_of

FEATURES_AT_ONCE = 4096

OnEpoch = Callable[[Epoch], None]


@dataclass(frozen=True)
class FitData:
    """What a fit reads of all N samples.

    Args:
        ids: of the samples.
        labels: (N, L).
        parts: the rows of `train`, `val` and `test`.
        features: of each modality whose encoder is frozen, (N, D) for each view.

    """

    ids: Sequence[str]
    labels: NDArray[np.uint8]
    parts: Mapping[str, NDArray[np.int64]]
    features: Mapping[str, Sequence[Tensor]]

    @property
    def dims(self) -> dict[str, int]:
        """The widths D of the frozen encoders' features."""
        return {name: views[0].shape[1] for name, views in self.features.items()}

    def training_set(
        self, components: ModelComponents, parts: Sequence[str], device: torch.device
    ) -> TrainingSet:
        """The samples of one part or of several, one after the other.

        Those of training have all views of their features, the others the clean one alone.
        """
        rows = np.concatenate([self.parts[part] for part in parts])
        inputs: dict[str, ModalityInput] = {}
        for name in components.config.modalities:
            if name in self.features:
                views = self.features[name] if "train" in parts else self.features[name][:1]
                chosen = torch.from_numpy(rows)
                values = torch.stack([view[chosen] for view in views], dim=1)
                inputs[name] = FeatureInput(values.to(device))
            else:
                encoding = components.encodings[name]
                inputs[name] = encoding.training_input(components.encoder(name), rows)
        labels = torch.from_numpy(self.labels[rows]).float()
        return TrainingSet([self.ids[i] for i in rows], inputs, labels.to(device))


@dataclass(frozen=True)
class FittedModel:
    """A trained model on the CPU, what it made of each part, and the samples that it saw.

    Train and val after every epoch, test after the best one, number `best` from 1.
    """

    model: Classifier
    train: Sequence[SplitOutputs]
    val: Sequence[SplitOutputs]
    test: SplitOutputs
    best: int
    samples_seen: int


def fit_model(
    components: ModelComponents,
    data: FitData,
    empty: Empty,
    device: torch.device,
    on_epoch: OnEpoch,
) -> FittedModel:
    """Train on the training samples, then on those of train and val if a refit is wanted.

    Args:
        empty: what a prediction without labels becomes where it counts in an epoch's score.
        on_epoch: called with every epoch once it has been evaluated.

    """
    config = components.config
    trainer = config.trainer
    with accelerator_on(device, trainer.precision) as accelerator:
        train, val, test = (
            data.training_set(components, [part], device) for part in ("train", "val", "test")
        )
        start = {
            name: deepcopy(encoder.state_dict())
            for name, encoder in components.trainable.items()
            if trainer.refit
        }
        learner, model = make_learner(components, data, len(train), accelerator)
        epochs, best = fit(
            learner,
            train,
            val,
            epochs=trainer.epochs,
            patience=trainer.patience,
            seed=config.seed,
            score=_Score(trainer.monitor, data.labels[data.parts["val"]], empty),
            on_epoch=on_epoch,
        )
        seen = len(epochs) * len(train)
        if trainer.refit:
            for name, weights in start.items():
                components.trainable[name].load_state_dict(weights)
            both = data.training_set(components, ["train", "val"], device)
            learner, model = make_learner(components, data, len(both), accelerator)
            refit(learner, both, epochs=best.number, seed=config.seed)
            seen += best.number * len(both)
        tested = learner.evaluate(test)
    model.cpu()
    return FittedModel(
        model, [e.train for e in epochs], [e.val for e in epochs], tested, best.number, seen
    )


@dataclass(frozen=True)
class _Score:
    """The monitored metric of the validation samples, more is better."""

    monitor: str
    labels: NDArray[np.uint8]
    empty: Empty

    def __call__(self, val: SplitOutputs) -> float:
        chances = scores.probabilities_of(val.logits)
        return scores.monitored(self.monitor, val.loss, self.labels, chances, self.empty)


def make_learner(
    components: ModelComponents, data: FitData, count: int, accelerator: Accelerator
) -> tuple[Learner, Classifier]:
    """A new model, the same for the same seed, and what trains it on `count` samples an epoch."""
    config = components.config
    trainer = config.trainer
    torch.manual_seed(config.seed)
    model = new_model(components, data, accelerator.device)
    optimizer, scheduler = make_optimizer(
        config.optimizer,
        config.scheduler,
        model,
        {name: config.encoder(name).lr for name in components.trainable},
        steps=trainer.epochs * steps_of(count, trainer.batch_size * trainer.accumulate),
        allow=config.allow_targets,
    )
    learner = Learner(
        model,
        components.loss.to(accelerator.device),
        optimizer,
        scheduler,
        accelerator,
        batch_size=trainer.batch_size,
        accumulate=trainer.accumulate,
        clip_norm=trainer.clip_norm,
        evaluation_size=evaluation_size(components),
    )
    return learner, model


def new_model(components: ModelComponents, data: FitData, device: torch.device) -> Classifier:
    """The classifier of a run, its weights drawn."""
    config, trainable, dims = components.config, components.trainable, data.dims
    model = make_model(
        config.fusion,
        config.head,
        {m: dims[m] if m in dims else components.encoder(m).out_dim for m in config.modalities},
        trainable,
        data.labels.shape[1],
        config.allow_targets,
    ).to(device)
    for name, encoder in trainable.items():
        components.encodings[name].to_device(encoder, device)
    return model


def evaluation_size(components: ModelComponents) -> int:
    """How many samples are evaluated at once."""
    is_raw = bool(components.trainable)
    return components.config.encode.batch_size if is_raw else FEATURES_AT_ONCE
