"""The components of a run's model, built and checked before anything is trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.errors import InputError
from mmclf.models.build import make_model, make_optimizer
from mmclf.models.smoke_check import check_model, check_optimizer
from mmclf.training.encoding import ModalityEncoding
from mmclf.training.learner import steps_of

CHECK_DIM, CHECK_ROWS = 8, 2


@dataclass(frozen=True)
class ModelComponents:
    """The components of a run's model.

    Args:
        config: of the run.
        encodings: of the run's modalities.
        loss: of logits against labels.
        encoders: those that have been built so far, by modality.

    """

    config: Config
    encodings: Mapping[str, ModalityEncoding]
    loss: nn.Module
    encoders: dict[str, Any] = field(default_factory=dict)

    def encoder(self, modality: str) -> Any:
        """The encoder of a modality, built at the first call; raises InputError if it fails."""
        if modality not in self.encoders:
            encoding = self.encodings[modality]
            self.encoders[modality] = _build_encoder(self.config, modality, encoding)
        return self.encoders[modality]

    @property
    def trainable(self) -> dict[str, nn.Module]:
        """The encoders that are trained."""
        config = self.config
        return {m: self.encoder(m) for m in config.modalities if config.encoder(m).trainable}


def build_components(
    config: Config,
    encodings: Mapping[str, ModalityEncoding],
    train_labels: NDArray[np.uint8],
    missing: Collection[str],
) -> ModelComponents:
    """Build and check the components of a run.

    Raises InputError for all invalid settings, before the run starts.

    Args:
        config: of the run.
        encodings: of the run's modalities.
        train_labels: (N, L) of the training samples.
        missing: modalities whose frozen encoders are built, as their features are not stored.

    """
    labels, allow = torch.from_numpy(train_labels).float(), config.allow_targets
    loss = build(config.loss, "loss", allow, train_labels=labels)
    components = ModelComponents(config, encodings, loss)
    for modality in config.modalities:
        if modality in missing or config.encoder(modality).trainable:
            components.encoder(modality)
    # What is built after encoding is also built here once, to find invalid settings early.
    dims = dict.fromkeys(config.modalities, CHECK_DIM)
    smoke_model = make_model(config.fusion, config.head, dims, {}, labels.shape[1], allow)
    check_model(smoke_model, loss, dims, labels[:CHECK_ROWS])
    trainer = config.trainer
    optimizer, scheduler = make_optimizer(
        config.optimizer,
        config.scheduler,
        smoke_model,
        {name: config.encoder(name).lr for name in components.trainable},
        steps=trainer.epochs * steps_of(len(labels), trainer.batch_size * trainer.accumulate),
        allow=allow,
    )
    check_optimizer(optimizer, scheduler)
    return components


def _build_encoder(config: Config, modality: str, encoding: ModalityEncoding) -> Any:
    settings = config.encoder(modality)
    allowed = {"allow_model_types": config.allow_model_types}
    arguments = encoding.encoder_arguments() | allowed
    encoder = build(settings.part, modality, config.allow_targets, **arguments)
    if settings.trainable:
        _check_trainable(modality, encoder)
    elif isinstance(encoder, nn.Module):
        encoder.eval().requires_grad_(False)
    encoding.check(encoder)
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
