"""Losses of logits (B, L) against labels (B, L) of 0 and 1."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

WeightForm = Literal["raw", "sqrt", "log"]


class WeightedBCE(nn.BCEWithLogitsLoss):
    """Binary cross-entropy whose positives are weighted by the rarity of their label.

    `train_labels` (N, L) of the training samples give the weights, see `positive_weights`.
    """

    def __init__(
        self,
        train_labels: Tensor,
        form: WeightForm = "log",
        max_weight: float | None = 10.0,
    ) -> None:
        super().__init__(pos_weight=positive_weights(train_labels, form, max_weight))


def positive_weights(train_labels: Tensor, form: WeightForm, max_weight: float | None) -> Tensor:
    """Weights (L,) of positives from r = negatives / positives of each label.

    `raw`: r, as torch's BCEWithLogitsLoss documents; `sqrt`: the square root of r; `log`:
    ln(1 + r), which is ln(N / positives). At most `max_weight`. A label without positives has no r:
    it gets `max_weight`, or 1 without a bound; no positive will use it.
    """
    positives = train_labels.double().sum(dim=0)
    ratio = (len(train_labels) - positives) / positives
    weights = {"raw": ratio, "sqrt": ratio.sqrt(), "log": ratio.log1p()}[form]
    bound = max_weight if max_weight is not None else torch.inf
    weights = weights.clamp(max=bound)
    return torch.where(weights.isfinite(), weights, torch.ones_like(weights)).float()
