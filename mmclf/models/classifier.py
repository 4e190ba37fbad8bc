"""The classifier: encoders, fusion and head as one module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


class Classifier(nn.Module):
    """Logits (B, L) of what each modality's encoder makes of its input.

    A frozen encoder's features are computed beforehand; its place here is held by `nn.Identity`.
    """

    def __init__(self, encoders: Mapping[str, nn.Module], fusion: nn.Module, head: nn.Module):
        super().__init__()
        self.encoders = nn.ModuleDict(encoders)
        self.fusion = fusion
        self.head = head

    def forward(self, inputs: Mapping[str, Any]) -> Tensor:
        """Logits (B, L); `inputs` holds, by modality, what its encoder takes."""
        parts = [encoder(inputs[name]) for name, encoder in self.encoders.items()]
        logits: Tensor = self.head(self.fusion(parts))
        return logits


def summary(model: nn.Module) -> str:
    """How many parameters are trained, and the layers."""
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return f"trained: {trained:,} parameters\n\n{model}"
