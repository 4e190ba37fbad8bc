"""The head of a classifier: from fused features to logits."""

from __future__ import annotations

from torch import nn


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
