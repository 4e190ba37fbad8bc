"""What a run is made of before anything is computed: samples, split, and the parts of its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mmclf import trial
from mmclf.assembly import make_model, make_optimizer
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.samples import Samples
from mmclf.data.split import Parts, split
from mmclf.data.supports import check_supports
from mmclf.errors import InputError
from mmclf.gallery import Gallery, hang
from mmclf.thresholds import Threshold
from mmclf.trainer import steps_of

TRIAL_DIM, TRIAL_ROWS = 8, 2


@dataclass(frozen=True)
class Inputs:
    """What a run is made of before anything is computed; a modality that is `none` is absent.

    `gallery` is None without images; `trainable` holds the encoders that are trained.
    """

    samples: Samples
    gallery: Gallery | None
    parts: Parts
    encoders: Mapping[str, Any]
    trainable: Mapping[str, nn.Module]
    loss: nn.Module
    threshold: Threshold

    def labels(self, part: str) -> NDArray[np.uint8]:
        """Labels (N, L) of a part."""
        return self.samples.labels[self.parts[part]]


def prepare(config: Config) -> Inputs:
    """Samples, split and parts of a run: all that bad input can spoil before it starts."""
    allow = config.allow_targets
    make = partial(build, allow=allow)
    samples: Samples = make(config.data.part, role="data")
    parts = split(
        samples.labels,
        samples.own_val,
        samples.own_test,
        seed=config.seed,
        **asdict(config.split),
    )
    gallery = None if config.vision.is_none else hang(config, samples)
    if gallery is not None:
        # After the split, so that every run of a study has the same test set but for these.
        parts = parts.without(gallery.unreadable)
    check_supports(samples.labels, parts, samples.label_names)
    captions = [samples.captions[i] for i in parts.train]
    encoders: dict[str, Any] = {}
    if not config.vision.is_none:
        encoders["vision"] = make(config.vision.part, role="vision")
    if not config.text.is_none:
        encoders["text"] = make(config.text.part, role="text", train_captions=captions)
    trainable = {
        name: _trainable(name, encoders[name])
        for name in encoders
        if config.encoder(name).trainable
    }
    for name, encoder in encoders.items():
        if name not in trainable and isinstance(encoder, nn.Module):
            encoder.eval().requires_grad_(False)
    train_labels = torch.from_numpy(samples.labels[parts.train]).float()
    inputs = Inputs(
        samples,
        gallery,
        parts,
        encoders,
        trainable,
        loss=make(config.loss, role="loss", train_labels=train_labels),
        threshold=make(config.threshold, role="threshold"),
    )
    trial.encoders_fit(encoders, config.image.size)
    # What is built after encoding is built once before, so that its settings are refused early.
    dims = dict.fromkeys(encoders, TRIAL_DIM)
    stand_in = make_model(config.fusion, config.head, dims, {}, train_labels.shape[1], allow)
    trial.model_fits(stand_in, inputs.loss, dims, train_labels[:TRIAL_ROWS])
    trainer = config.trainer
    optimizer, scheduler = make_optimizer(
        config.optimizer,
        config.scheduler,
        stand_in,
        {name: config.encoder(name).lr for name in trainable},
        steps=trainer.epochs * steps_of(len(parts.train), trainer.batch_size * trainer.accumulate),
        allow=allow,
    )
    trial.optimizer_steps(optimizer, scheduler)
    return inputs


def _trainable(name: str, encoder: Any) -> nn.Module:
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
    return encoder
