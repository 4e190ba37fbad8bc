"""Fusions: one feature tensor (B, D_m) of each modality to one (B, D)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Concat(nn.Module):
    """The modalities side by side: D is the sum of `dims`, the widths D_m."""

    def __init__(self, dims: Sequence[int]) -> None:
        super().__init__()
        self.out_dim = sum(dims)

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Fused features (B, D) of `parts`, in the order of `dims`."""
        return torch.cat(tuple(parts), dim=1)
