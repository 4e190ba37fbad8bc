"""A constant text encoder, for baselines that learn nothing from the samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Constant:
    """The feature 1.0 for every caption (N, 1): a head on it learns the labels' frequencies."""

    out_dim = 1

    def fit(self, _captions: Sequence[str]) -> Constant:
        """Do nothing."""
        return self

    def transform(self, captions: Sequence[str]) -> Tensor:
        """Features (N, 1) in float32."""
        return torch.ones(len(captions), self.out_dim)
