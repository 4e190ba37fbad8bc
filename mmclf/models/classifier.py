"""The classifier: encoders, fusion and head as one module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Several:
    """Inputs of which some belong together: as many in a row as `counts` (B,) says.

    A sample's features are the mean of those of its inputs.
    """

    inputs: Any
    counts: Tensor


class Classifier(nn.Module):
    """Encodes each modality, fuses the features, and computes logits (B, L).

    A frozen encoder is represented by `nn.Identity`: its features are computed beforehand.
    """

    def __init__(self, encoders: Mapping[str, nn.Module], fusion: nn.Module, head: nn.Module):
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.fusion = fusion
        self.head = head

    def forward(self, inputs: Mapping[str, Any]) -> Tensor:
        """Logits (B, L) of the encoders' `inputs` by modality."""
        parts = [encoded(encoder, inputs[name]) for name, encoder in self.encoders.items()]
        logits: Tensor = self.head(self.fusion(parts))
        return logits


def encoded(encoder: nn.Module, inputs: Any) -> Tensor:
    """An encoder's features (B, D) of its inputs; the mean where a sample has `Several`."""
    features: Tensor = encoder(inputs.inputs if isinstance(inputs, Several) else inputs)
    if not isinstance(inputs, Several):
        return features
    owners = torch.repeat_interleave(inputs.counts, output_size=len(features))
    sums = features.new_zeros(len(inputs.counts), features.shape[1])
    return sums.index_add(0, owners, features) / inputs.counts[:, None]


def summary(model: nn.Module) -> str:
    """The number of trained parameters and the layers, as text."""
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return f"trained: {trained:,} parameters\n\n{model}"
