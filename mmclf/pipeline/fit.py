"""Fit a run's model: its examples, the best epoch, and the refit on train and val together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor

from mmclf.config.schema import Config
from mmclf.evaluation import scores
from mmclf.models.build import make_model, make_optimizer
from mmclf.models.classifier import Classifier
from mmclf.pipeline.components import Inputs
from mmclf.progress import progress_bar
from mmclf.training.batches import (
    CaptionInput,
    FeatureInput,
    ImageInput,
    ModalityInput,
    TrainingSet,
)
from mmclf.training.device import accelerator_on
from mmclf.training.trainer import Epoch, Evaluation, Learner, fit, refit, steps_of

FEATURES_AT_ONCE = 4096

OnEpoch = Callable[[Epoch], None]


@dataclass(frozen=True)
class Fitted:
    """A trained model on the CPU, what it came to, and the samples that it saw."""

    model: Classifier
    train: Sequence[Evaluation]
    val: Sequence[Evaluation]
    test: Evaluation
    best: int
    samples_seen: int


def fit_model(
    config: Config,
    inputs: Inputs,
    features: Mapping[str, Sequence[Tensor]],
    device: torch.device,
    on_epoch: OnEpoch,
) -> Fitted:
    """Train on the training samples, or on those of train and val if the config wants a refit.

    `features`, by modality of the frozen encoders: those of all samples (N, D), by view.
    `on_epoch` is told of every epoch that is judged.
    """
    with accelerator_on(device, config.trainer.precision) as accelerator:
        return _fit_model(config, inputs, features, accelerator, on_epoch)


def _fit_model(
    config: Config,
    inputs: Inputs,
    features: Mapping[str, Sequence[Tensor]],
    accelerator: Accelerator,
    on_epoch: OnEpoch,
) -> Fitted:
    device = accelerator.device
    train, val, test = (
        make_training_set(config, inputs, features, [part], device)
        for part in ("train", "val", "test")
    )
    dims = {name: views[0].shape[1] for name, views in features.items()}
    trainable = inputs.trainable
    start = {
        name: deepcopy(encoder.state_dict())
        for name, encoder in trainable.items()
        if config.trainer.refit
    }
    learner, model = _learner(config, inputs, dims, len(train), accelerator)
    epochs: list[Epoch] = []

    def judged(epoch: Epoch) -> None:
        epochs.append(epoch)
        on_epoch(epoch)

    best = _best_epoch(config, inputs, learner, train, val, judged)
    seen = len(epochs) * len(train)
    if config.trainer.refit:
        for name, weights in start.items():
            trainable[name].load_state_dict(weights)
        both = make_training_set(config, inputs, features, ["train", "val"], device)
        learner, model = _learner(config, inputs, dims, len(both), accelerator)
        with progress_bar("training on train and val, epochs", best.number) as advance:
            refit(
                learner,
                both,
                epochs=best.number,
                seed=config.seed,
                on_epoch=lambda: advance(1),
            )
        seen += best.number * len(both)
    tested = learner.evaluate(test)
    model.cpu()
    return Fitted(
        model, [e.train for e in epochs], [e.val for e in epochs], tested, best.number, seen
    )


def _best_epoch(
    config: Config,
    inputs: Inputs,
    learner: Learner,
    train: TrainingSet,
    val: TrainingSet,
    on_epoch: OnEpoch,
) -> Epoch:
    """The best epoch, whose weights the learner's model has."""
    trainer, material = config.trainer, inputs.material

    def judged(epoch: Epoch) -> None:
        on_epoch(epoch)
        advance(1)

    def score(validated: Evaluation) -> float:
        return scores.monitored(
            trainer.monitor,
            validated.loss,
            material.labels("val"),
            scores.probabilities_of(validated.logits.numpy()),
            material.threshold.empty,
        )

    with progress_bar("training, epochs", trainer.epochs) as advance:
        return fit(
            learner,
            train,
            val,
            epochs=trainer.epochs,
            patience=trainer.patience,
            seed=config.seed,
            score=score,
            on_epoch=judged,
        )


def make_training_set(
    config: Config,
    inputs: Inputs,
    features: Mapping[str, Sequence[Tensor]],
    parts: Sequence[str],
    device: torch.device,
) -> TrainingSet:
    """The examples of one part or of several, one after the other.

    Those of training have all views of their features, the others the clean one alone.
    """
    material = inputs.material
    samples = material.samples
    rows = np.concatenate([material.parts[part] for part in parts])
    sources: dict[str, ModalityInput] = {}
    for name in config.modalities:
        if name in features:
            views = features[name] if "train" in parts else features[name][:1]
            chosen = torch.from_numpy(rows)
            values = torch.stack([view[chosen] for view in views], dim=1)
            sources[name] = FeatureInput(values.to(device))
        elif name == "vision":
            assert material.gallery is not None
            pictures, encoder = material.gallery.pictures, inputs.encoder(name)
            sources[name] = ImageInput(pictures, rows, encoder, config.augment)
        else:
            sources[name] = CaptionInput([samples.captions[i] for i in rows], inputs.encoder(name))
    labels = torch.from_numpy(samples.labels[rows]).float()
    return TrainingSet([samples.ids[i] for i in rows], sources, labels.to(device))


def _learner(
    config: Config,
    inputs: Inputs,
    dims: Mapping[str, int],
    count: int,
    accelerator: Accelerator,
) -> tuple[Learner, Classifier]:
    """A new model, the same for the same seed, and what trains it on `count` examples an epoch.

    `dims`: the widths of the frozen encoders' features.
    """
    torch.manual_seed(config.seed)
    trainer, trainable, device = config.trainer, inputs.trainable, accelerator.device
    model = new_model(config, inputs, dims, device)
    optimizer, scheduler = make_optimizer(
        config.optimizer,
        config.scheduler,
        model,
        {name: config.encoder(name).lr for name in trainable},
        steps=trainer.epochs * steps_of(count, trainer.batch_size * trainer.accumulate),
        allow=config.allow_targets,
    )
    learner = Learner(
        model,
        inputs.loss.to(device),
        optimizer,
        scheduler,
        accelerator,
        batch_size=trainer.batch_size,
        accumulate=trainer.accumulate,
        clip_norm=trainer.clip_norm,
        evaluation_size=evaluation_size(config, inputs),
    )
    return learner, model


def new_model(
    config: Config, inputs: Inputs, dims: Mapping[str, int], device: torch.device
) -> Classifier:
    """The classifier of a run, its weights drawn; `dims` as `_learner` takes them."""
    trainable = inputs.trainable
    model = make_model(
        config.fusion,
        config.head,
        {m: dims[m] if m in dims else inputs.encoder(m).out_dim for m in config.modalities},
        trainable,
        len(inputs.material.samples.label_names),
        config.allow_targets,
    ).to(device)
    vision: Any = trainable.get("vision")  # whose `to` is typed without memory formats
    if vision is not None:
        vision.to(memory_format=torch.channels_last)
    return model


def evaluation_size(config: Config, inputs: Inputs) -> int:
    """How many examples are evaluated at once."""
    return config.encode.batch_size if inputs.trainable else FEATURES_AT_ONCE
