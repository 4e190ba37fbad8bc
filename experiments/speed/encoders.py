"""The encoders that are measured, frozen as a run has them, and the precision that mmclf takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf import compose
from mmclf.config.targets import build
from mmclf.data.images import Pictures
from mmclf.pipeline.stage_runner import PROBED
from mmclf.training import precision
from mmclf.training.encode import standardise
from mmclf.training.precision import Precision

CPU = torch.device("cpu")
VISION = {"lite0": ["vision=efficientnet_lite0"]} | {
    "mobilenet_v3": ["vision=mobilenet_v3", "vision.weights=random"]
}


@dataclass(frozen=True)
class Chosen:
    """The precision that mmclf measures to be best for an encoder, and why in words."""

    precision: Precision
    why: str


def vision_encoder(name: str) -> Any:
    """The image encoder `lite0` or `mobilenet_v3`, frozen, in NCHW."""
    encoder = build(compose(VISION[name]).config.vision.part, "vision")
    return encoder.eval().requires_grad_(False)


def minilm() -> Any:
    """MiniLM, frozen."""
    encoder = build(compose(["text=minilm"]).config.text.part, "text")
    return encoder.eval().requires_grad_(False)


def vision_precision(encoder: Any, pictures: Pictures, rows: NDArray[np.int64]) -> Chosen:
    """The precision that mmclf measures to be best for an image encoder."""
    probed = torch.from_numpy(pictures[rows[:PROBED]])

    def forward() -> Tensor:
        features: Tensor = encoder(standardise(encoder, probed))
        return features

    return _chosen(forward)


def text_precision(encoder: Any, captions: Sequence[str]) -> Chosen:
    """The precision that mmclf measures to be best for a text encoder."""
    tokens = encoder.tokenize(captions[:PROBED])

    def forward() -> Tensor:
        features: Tensor = encoder(tokens)
        return features

    return _chosen(forward)


def _chosen(forward: Callable[[], Tensor]) -> Chosen:
    measured = precision.measure(forward, CPU)
    why = (
        f"bf16 was {measured['gain']} times as fast as fp32, the least cosine {measured['cosine']}"
    )
    return Chosen("bf16" if measured["bf16"] else "fp32", why)
