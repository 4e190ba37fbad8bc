"""What a run is made of before anything is computed: samples, split, and the parts of its model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mmclf import trial
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.samples import Samples
from mmclf.data.split import Parts, split
from mmclf.models.classifier import Classifier, make_head
from mmclf.thresholds import Threshold

TRIAL_DIM = 8


@dataclass(frozen=True)
class Inputs:
    """What a run is made of before anything is computed; a modality that is `none` is absent."""

    samples: Samples
    parts: Parts
    encoders: Mapping[str, Any]
    loss: nn.Module
    threshold: Threshold

    def labels(self, part: str) -> NDArray[np.uint8]:
        """Labels (N, L) of a part."""
        return self.samples.labels[self.parts[part]]


def prepare(config: Config) -> Inputs:
    """Samples, split and parts of a run: all that bad input can spoil before it starts."""
    make = partial(build, allow=config.allow_targets)
    samples: Samples = make(config.data, role="data")
    parts = split(
        samples.labels,
        samples.own_test,
        val=config.split.val,
        test=config.split.test,
        seed=config.seed,
        test_seed=config.split.test_seed,
    )
    encoders: dict[str, Any] = {}
    if config.vision["_target_"] is not None:
        encoders["vision"] = _frozen(make(config.vision, role="vision"))
    if config.text["_target_"] is not None:
        captions = [samples.captions[i] for i in parts.train]
        encoders["text"] = _frozen(make(config.text, role="text", train_captions=captions))
    train_labels = torch.from_numpy(samples.labels[parts.train]).float()
    inputs = Inputs(
        samples,
        parts,
        encoders,
        loss=make(config.loss, role="loss", train_labels=train_labels),
        threshold=make(config.threshold, role="threshold"),
    )
    trial.encoders_fit(encoders, config.image.size)
    # What is built after encoding is built once before, so that its settings are refused early.
    stand_in = make_model(config, dict.fromkeys(encoders, TRIAL_DIM), labels=1)
    make(config.optimizer, role="optimizer", params=stand_in.parameters())
    return inputs


def _frozen(encoder: Any) -> Any:
    if isinstance(encoder, nn.Module):
        encoder.eval().requires_grad_(False)
    return encoder


def make_model(config: Config, dims: Mapping[str, int], labels: int) -> Classifier:
    """The classifier of L = `labels`, its frozen encoders making features as wide as `dims`."""
    fusion = build(config.fusion, "fusion", config.allow_targets, dims=list(dims.values()))
    head = make_head(fusion.out_dim, labels, config.head.hidden, config.head.dropout)
    return Classifier({modality: nn.Identity() for modality in dims}, fusion, head)
