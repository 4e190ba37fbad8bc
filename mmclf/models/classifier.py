"""The classifier: encoders, fusion and head as one module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


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
        parts = [encoder(inputs[name]) for name, encoder in self.encoders.items()]
        logits: Tensor = self.head(self.fusion(parts))
        return logits


def summary(model: nn.Module) -> str:
    """The number of trained parameters and the layers, as text."""
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return f"trained: {trained:,} parameters\n\n{model}"
