"""The head of a classifier: from fused features to logits."""

from __future__ import annotations

from torch import nn


def make_head(
    in_dim: int, labels: int, hidden: int | None, dropout: float, input_dropout: float = 0.0
) -> nn.Sequential:
    """A head from (B, in_dim) to (B, labels).

    Args:
        in_dim: width of the fused features.
        labels: number of labels.
        hidden: width of the hidden layer; None for a linear head.
        dropout: probability before the last layer.
        input_dropout: probability on the input.

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
