"""Token features of captions (B, T, D) to one feature each (B, D)."""

from __future__ import annotations

import torch
from torch import Tensor

from mmclf.models.text_family import Pooling


def pool(hidden: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """Features (B, D) of token features (B, T, D) whose captions' tokens are in the mask (B, T)."""
    match pooling:
        case "mean":
            return mean_pool(hidden, mask)
        case "cls":
            return hidden[:, 0]
        case "last":
            return last_pool(hidden, mask)
        case "max":
            return max_pool(hidden, mask)
    raise AssertionError(f"{pooling} is the model's own")


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean (B, D) of token features (B, T, D) over the tokens in the mask (B, T)."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def last_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """The feature (B, D) of the last token in the mask (B, T), on whichever side the padding is."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    last = (mask * positions).amax(1)
    return hidden[torch.arange(len(hidden), device=hidden.device), last]


def max_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """The maximum (B, D) of token features (B, T, D) over the tokens in the mask (B, T)."""
    is_padding = (mask == 0).unsqueeze(-1)
    return hidden.masked_fill(is_padding, torch.finfo(hidden.dtype).min).amax(1)
