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


def make_head(
    in_dim: int, labels: int, hidden: int | None, dropout: float, input_dropout: float = 0.0
) -> nn.Sequential:
    """A head from (B, in_dim) to (B, labels), with a hidden layer unless `hidden` is None.

    `dropout` acts before the last layer, `input_dropout` on what the head is given.
    """
    first = [nn.Dropout(input_dropout)] if input_dropout > 0 else []
    if hidden is None:
        return nn.Sequential(*first, nn.Dropout(dropout), nn.Linear(in_dim, labels))
    return nn.Sequential(
        *first,
        nn.Linear(in_dim, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, labels),
    )
