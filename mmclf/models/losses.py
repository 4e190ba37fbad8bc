"""Losses of logits (B, L) against labels (B, L) of 0 and 1."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

WeightForm = Literal["raw", "sqrt", "log"]
Gamma = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class WeightedBCE(nn.BCEWithLogitsLoss):
    """Binary cross-entropy with positives weighted by the rarity of their label.

    The weights follow from `train_labels` (N, L) of the training samples, see `positive_weights`.

    >>> train_labels = torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    >>> WeightedBCE(train_labels, form="raw").pos_weight
    tensor([2.0000, 0.5000])
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

    Args:
        train_labels: (N, L) of 0 and 1.
        form: `raw` for r, as in the documentation of torch's BCEWithLogitsLoss; `sqrt` for the
            square root of r; `log` for ln(1 + r), which equals ln(N / positives).
        max_weight: upper bound; None for none. A label without positives has no r and gets
            `max_weight`, or 1 without a bound, which has no effect.

    """
    positives = train_labels.double().sum(dim=0)
    ratio = (len(train_labels) - positives) / positives
    weights = {"raw": ratio, "sqrt": ratio.sqrt(), "log": ratio.log1p()}[form]
    bound = max_weight if max_weight is not None else torch.inf
    weights = weights.clamp(max=bound)
    return torch.where(weights.isfinite(), weights, torch.ones_like(weights)).float()


class FocalLoss(nn.Module):
    """The focal loss -(1 - p_t)^gamma log(p_t), mean over samples and labels.

    p_t is the predicted probability of the true class (Lin et al. 2017, arXiv:1708.02002, equations
    4 and 5). With `gamma` 0 it is binary cross-entropy; with `alpha`, positives have the weight
    alpha and negatives 1 - alpha. Its gradient is finite for finite logits, unlike torchvision's,
    which is NaN where gamma is below 1 and p_t rounds to 1.

    >>> logits, labels = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 0.0]])
    >>> FocalLoss(gamma=2.0)(logits, labels)
    tensor(0.9117)
    """

    def __init__(
        self, gamma: Gamma = 2.0, alpha: Annotated[float, Field(ge=0, le=1)] | None = None
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss (a scalar) of logits (B, L) against labels (B, L)."""
        logits, labels = _at_least_float32(logits, labels)
        loss = binary_cross_entropy_with_logits(logits, labels, reduction="none")
        signed = torch.where(labels > 0.5, logits, -logits)
        loss = loss * (self.gamma * logsigmoid(-signed)).exp()
        if self.alpha is not None:
            loss = loss * (self.alpha * labels + (1 - self.alpha) * (1 - labels))
        return loss.mean()


class AsymmetricLoss(nn.Module):
    """The asymmetric loss, mean over samples and labels (Ridnik et al. 2021, arXiv:2009.14119).

    The loss of a positive is -(1 - p)^gamma_pos log(p), that of a negative -q^gamma_neg log(1 - q),
    where q = max(p - clip, 0) (section 2). The defaults are the paper's. Gradients flow through the
    powers, too. Unlike in timm, which bounds p away from 0, a positive with a very low p keeps its
    gradient, and powers below 1 have one.

    >>> logits, labels = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 0.0]])
    >>> AsymmetricLoss()(logits, labels)
    tensor(0.7698)
    """

    def __init__(
        self,
        gamma_neg: Gamma = 4.0,
        gamma_pos: Gamma = 0.0,
        clip: Annotated[float, Field(ge=0, lt=1)] = 0.05,
    ) -> None:
        super().__init__()
        self.gamma_neg = gamma_neg
        self.gamma_pos = gamma_pos
        self.clip = clip

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss (a scalar) of logits (B, L) against labels (B, L)."""
        logits, labels = _at_least_float32(logits, labels)
        loss = labels * self._positive(logits) + (1 - labels) * self._negative(logits)
        return loss.mean()

    def _positive(self, logits: Tensor) -> Tensor:
        return (self.gamma_pos * logsigmoid(-logits)).exp() * -logsigmoid(logits)

    def _negative(self, logits: Tensor) -> Tensor:
        # log(1 - q) = min(log(1 - p + clip), 0); 1 - p itself rounds to 0 from a logit of 17 on.
        margin = math.log(self.clip) if self.clip > 0 else -math.inf
        log_negative = torch.logaddexp(logsigmoid(-logits), torch.full_like(logits, margin))
        # A power below 1 has no finite slope at 0.
        smallest = torch.finfo(logits.dtype).tiny
        q = (logits.sigmoid() - self.clip).clamp(min=smallest)
        return q**self.gamma_neg * -log_negative.clamp(max=0)


def _at_least_float32(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Both as floats of at least 32 bits: half precision would lose 1 - p and the mean."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return logits, labels.to(logits.dtype)
