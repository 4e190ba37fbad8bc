"""The encoders that are measured, frozen as a run has them, and the precision that mmclf takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf import compose, precision
from mmclf.computation import PROBED
from mmclf.config.targets import build
from mmclf.data.images import Pictures
from mmclf.encode import standardise
from mmclf.precision import Precision

CPU = torch.device("cpu")
VISION = {"lite0": ["vision=efficientnet_lite0"]} | {
    "mobilenet_v3": ["vision=mobilenet_v3", "vision.weights=random"]
}


def vision_encoder(name: str) -> Any:
    """The image encoder `lite0` or `mobilenet_v3`, frozen, in NCHW."""
    encoder = build(compose(VISION[name]).config.vision.part, "vision")
    return encoder.eval().requires_grad_(False)


def minilm() -> Any:
    """MiniLM, frozen."""
    encoder = build(compose(["text=minilm"]).config.text.part, "text")
    return encoder.eval().requires_grad_(False)


def vision_precision(encoder: Any, pictures: Pictures, rows: NDArray[np.int64]) -> Precision:
    """The precision that mmclf measures to be best for an image encoder."""
    probed = torch.from_numpy(pictures[rows[:PROBED]])

    def forward() -> Tensor:
        features: Tensor = encoder(standardise(encoder, probed))
        return features

    return "bf16" if precision.measure(forward, CPU)["bf16"] else "fp32"


def text_precision(encoder: Any, captions: Sequence[str]) -> Precision:
    """The precision that mmclf measures to be best for a text encoder."""
    tokens = encoder.tokenize(captions[:PROBED])

    def forward() -> Tensor:
        features: Tensor = encoder(tokens)
        return features

    return "bf16" if precision.measure(forward, CPU)["bf16"] else "fp32"
