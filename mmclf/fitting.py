"""Fit a run's model: its examples, the best epoch, and the refit on train and val together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmclf import hardware, scores
from mmclf.assembly import make_model, make_optimizer
from mmclf.config.schema import Config
from mmclf.examples import Examples, Features, RawCaptions, RawPictures, Source
from mmclf.inputs import Inputs
from mmclf.models.classifier import Classifier
from mmclf.progress import progress_bar
from mmclf.trainer import Epoch, Evaluation, Learner, fit, refit, steps_of

FEATURES_AT_ONCE = 4096

OnEpoch = Callable[[Epoch], None]


@dataclass(frozen=True)
class Fitted:
    """A trained model, evaluated on `train`, `val` and `test`, and the samples that it saw.

    After a refit the evaluations of train and val are still those of the model that chose the
    epoch: val is seen by the refit one.
    """

    model: Classifier
    evaluations: Mapping[str, Evaluation]
    epochs: int
    samples_seen: int


def fit_model(
    config: Config,
    inputs: Inputs,
    features: Mapping[str, Mapping[str, Tensor]],
    device: torch.device,
    on_epoch: OnEpoch,
) -> Fitted:
    """Train on the training samples, or on those of train and val if the config wants a refit.

    `features` (N, V, D) by modality and part, of the frozen encoders; `on_epoch` is told of every
    epoch that is judged.
    """
    train, val, test = (
        make_examples(config, inputs, features, [part], device) for part in ("train", "val", "test")
    )
    start = {
        name: deepcopy(encoder.state_dict())
        for name, encoder in inputs.trainable.items()
        if config.trainer.refit
    }
    learner, model = _learner(config, inputs, len(train), device)
    best, epochs = _best_epoch(config, inputs, learner, train, val, on_epoch)
    seen = epochs * len(train)
    if config.trainer.refit:
        for name, weights in start.items():
            inputs.trainable[name].load_state_dict(weights)
        both = make_examples(config, inputs, features, ["train", "val"], device)
        learner, model = _learner(config, inputs, len(both), device)
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
    evaluations = {"train": best.train, "val": best.val, "test": tested}
    return Fitted(model, evaluations, epochs, seen)


def _best_epoch(
    config: Config,
    inputs: Inputs,
    learner: Learner,
    train: Examples,
    val: Examples,
    on_epoch: OnEpoch,
) -> tuple[Epoch, int]:
    """The best epoch, whose weights the learner's model has, and how many there were."""
    trainer, numbers = config.trainer, [0]

    def judged(epoch: Epoch) -> None:
        numbers.append(epoch.number)
        on_epoch(epoch)
        advance(1)

    def score(validated: Evaluation) -> float:
        return scores.monitored(
            trainer.monitor,
            validated.loss,
            inputs.labels("val"),
            scores.probabilities_of(validated.logits),
            inputs.threshold.empty,
        )

    with progress_bar("training, epochs", trainer.epochs) as advance:
        best = fit(
            learner,
            train,
            val,
            epochs=trainer.epochs,
            patience=trainer.patience,
            seed=config.seed,
            score=score,
            on_epoch=judged,
        )
    return best, numbers[-1]


def make_examples(
    config: Config,
    inputs: Inputs,
    features: Mapping[str, Mapping[str, Tensor]],
    parts: Sequence[str],
    device: torch.device,
) -> Examples:
    """The examples of one part or of several, one after the other."""
    rows = np.concatenate([inputs.parts[part] for part in parts])
    sources: dict[str, Source] = {}
    for name, encoder in inputs.encoders.items():
        if name not in inputs.trainable:
            values = torch.cat([features[name][part] for part in parts])
            sources[name] = Features(values.to(device))
        elif name == "vision":
            assert inputs.gallery is not None
            sources[name] = RawPictures(inputs.gallery.pictures, rows, encoder, config.augment)
        else:
            sources[name] = RawCaptions([inputs.samples.captions[i] for i in rows], encoder)
    labels = torch.from_numpy(inputs.samples.labels[rows]).float()
    return Examples([inputs.samples.ids[i] for i in rows], sources, labels.to(device))


def _learner(
    config: Config, inputs: Inputs, count: int, device: torch.device
) -> tuple[Learner, Classifier]:
    """A new model, the same for the same seed, and what trains it on `count` examples an epoch."""
    torch.manual_seed(config.seed)
    trainer = config.trainer
    model = make_model(
        config.fusion,
        config.head,
        {name: encoder.out_dim for name, encoder in inputs.encoders.items()},
        inputs.trainable,
        len(inputs.samples.label_names),
        config.allow_targets,
    ).to(device)
    vision: Any = inputs.trainable.get("vision")  # whose `to` is typed without memory formats
    if vision is not None:
        vision.to(memory_format=torch.channels_last)
    optimizer, scheduler = make_optimizer(
        config.optimizer,
        config.scheduler,
        model,
        {name: config.encoder(name).lr for name in inputs.trainable},
        steps=trainer.epochs * steps_of(count, trainer.batch_size * trainer.accumulate),
        allow=config.allow_targets,
    )
    learner = Learner(
        model,
        inputs.loss.to(device),
        optimizer,
        scheduler,
        hardware.accelerator_on(device, trainer.precision),
        batch_size=trainer.batch_size,
        accumulate=trainer.accumulate,
        clip_norm=trainer.clip_norm,
        evaluation_size=config.encode.batch_size if inputs.trainable else FEATURES_AT_ONCE,
    )
    return learner, model
