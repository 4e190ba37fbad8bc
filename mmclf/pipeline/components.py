"""The parts of a run's model, built and tried before it is trained."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.errors import InputError
from mmclf.models import smoke_check
from mmclf.models.build import make_model, make_optimizer
from mmclf.pipeline.run_data import RunData
from mmclf.training.trainer import steps_of

TRIAL_DIM, TRIAL_ROWS = 8, 2


@dataclass(frozen=True)
class Inputs:
    """The parts of a run's model; `encoders` holds those that have been built so far."""

    config: Config
    material: RunData
    loss: nn.Module
    encoders: dict[str, Any] = field(default_factory=dict)

    def encoder(self, modality: str) -> Any:
        """The encoder of a modality, built at first; raises InputError if it does not work."""
        if modality not in self.encoders:
            self.encoders[modality] = _built(self.config, self.material, modality)
        return self.encoders[modality]

    @property
    def trainable(self) -> dict[str, nn.Module]:
        """The encoders that are trained."""
        modalities = self.config.modalities
        return {m: self.encoder(m) for m in modalities if self.config.encoder(m).trainable}


def prepare(config: Config, material: RunData, missing: Collection[str]) -> Inputs:
    """The parts of a run, the encoders of `missing` and those to be trained among them.

    All that settings can spoil is raised here, as InputError, before the run starts.
    """
    labels = torch.from_numpy(material.labels("train")).float()
    loss = build(config.loss, "loss", config.allow_targets, train_labels=labels)
    inputs = Inputs(config, material, loss)
    for modality in config.modalities:
        if modality in missing or config.encoder(modality).trainable:
            inputs.encoder(modality)
    # What is built after encoding is built once before, so that its settings are refused early.
    dims = dict.fromkeys(config.modalities, TRIAL_DIM)
    allow = config.allow_targets
    stand_in = make_model(config.fusion, config.head, dims, {}, labels.shape[1], allow)
    smoke_check.model_fits(stand_in, loss, dims, labels[:TRIAL_ROWS])
    trainer = config.trainer
    optimizer, scheduler = make_optimizer(
        config.optimizer,
        config.scheduler,
        stand_in,
        {name: config.encoder(name).lr for name in inputs.trainable},
        steps=trainer.epochs * steps_of(len(labels), trainer.batch_size * trainer.accumulate),
        allow=allow,
    )
    smoke_check.optimizer_steps(optimizer, scheduler)
    return inputs


def _built(config: Config, material: RunData, modality: str) -> Any:
    given: dict[str, Any] = {}
    if modality == "text":
        captions = material.samples.captions
        given["train_captions"] = [captions[i] for i in material.parts.train]
    settings = config.encoder(modality)
    encoder = build(settings.part, modality, config.allow_targets, **given)
    if settings.trainable:
        _check_trainable(modality, encoder)
    elif isinstance(encoder, nn.Module):
        encoder.eval().requires_grad_(False)
    smoke_check.encoders_fit({modality: encoder}, config.image.size)
    return encoder


def _check_trainable(name: str, encoder: Any) -> None:
    if not isinstance(encoder, nn.Module):
        raise InputError(
            f"{name}.trainable is true, but {type(encoder).__name__} has no weights to train: "
            f"choose a neural encoder, or {name}.trainable=false"
        )
    if not any(parameter.requires_grad for parameter in encoder.parameters()):
        raise InputError(
            f"{name}.trainable is true, but {type(encoder).__name__} has no parameter that takes a "
            f"gradient: choose {name}.trainable=false"
        )
