"""Fusions: one feature tensor (B, D_m) of each modality to one (B, D), or to logits (B, L).

Every fusion takes `dims`, the widths D_m in the modalities' order, and works for one modality as
for many. `normalise` layer-normalises each modality first, so that none outweighs another by the
scale of its features. `out_dim` is D, or None where the fusion itself makes the logits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

Width = Annotated[int, Field(ge=1)]


class Normalise(nn.Module):
    """Each sample's features of each modality at mean 0 and variance 1; as they are if not `on`.

    Layer normalisation (Ba et al. 2016, arXiv:1607.06450) without gain and bias: a linear layer
    follows in every fusion or in the head, and learns them with its own.
    """

    def __init__(self, on: bool) -> None:
        super().__init__()
        self.on = on

    def forward(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """The same shapes (B, D_m)."""
        if not self.on:
            return list(parts)
        return [nn.functional.layer_norm(part, part.shape[-1:]) for part in parts]


class Concat(nn.Module):
    """The modalities side by side: D is the sum of `dims`."""

    def __init__(self, dims: Sequence[int], normalise: bool = False) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.out_dim = sum(dims)

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Fused features (B, D) of `parts`, in the order of `dims`."""
        return torch.cat(self.normalise(parts), dim=1)


class Sum(nn.Module):
    """The sum of a linear projection of each modality to D = `dim`."""

    def __init__(self, dims: Sequence[int], dim: Width = 512, normalise: bool = False) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.projections = _projections(dims, dim)
        self.out_dim = dim

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Fused features (B, D) of `parts`, in the order of `dims`."""
        return torch.stack(_projected(self.projections, self.normalise(parts))).sum(dim=0)


class Product(nn.Module):
    """The elementwise product of tanh of a linear projection of each modality to D = `dim`.

    Low-rank bilinear pooling (Kim et al. 2017, arXiv:1610.04325, section 3), whose last
    projection is the head.
    """

    def __init__(self, dims: Sequence[int], dim: Width = 512, normalise: bool = False) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.projections = _projections(dims, dim)
        self.out_dim = dim

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Fused features (B, D) of `parts`, in the order of `dims`."""
        projected = _projected(self.projections, self.normalise(parts))
        return functools.reduce(torch.mul, [part.tanh() for part in projected])


class Gated(nn.Module):
    """The gated multimodal unit: for each unit of D = `dim`, a mean weighted by the input itself.

    Of h_m = tanh(W_m x_m), and for two modalities z = sigmoid(W_z [x_1, x_2]), it is
    z h_1 + (1 - z) h_2 (Arevalo et al. 2017, arXiv:1702.01992, section 3). For M modalities the
    weights are a softmax over M gate logits, the last of them 0: for two that is the sigmoid, and
    they sum to 1 for any M, unlike the paper's own M sigmoids. The layers have biases, which the
    paper's equations leave out.
    """

    def __init__(self, dims: Sequence[int], dim: Width = 512, normalise: bool = False) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.projections = _projections(dims, dim)
        self.gates = _projections([sum(dims)] * (len(dims) - 1), dim)
        self.out_dim = dim

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Fused features (B, D) of `parts`, in the order of `dims`."""
        parts = self.normalise(parts)
        hidden = torch.stack(_projected(self.projections, parts)).tanh()
        everything = torch.cat(tuple(parts), dim=1)
        logits = [gate(everything) for gate in self.gates]
        weights = torch.stack([*logits, torch.zeros_like(hidden[-1])]).softmax(dim=0)
        return (weights * hidden).sum(dim=0)


class Late(nn.Module):
    """A head for each modality on its features alone; the mean of their logits (B, L).

    `make_head` makes a head from the width of its input.
    """

    out_dim: int | None = None

    def __init__(
        self,
        dims: Sequence[int],
        make_head: Callable[[int], nn.Module],
        normalise: bool = False,
    ) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.heads = nn.ModuleList(make_head(width) for width in dims)

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Logits (B, L) of `parts`, in the order of `dims`."""
        return torch.stack(_projected(self.heads, self.normalise(parts))).mean(dim=0)


def _projections(dims: Sequence[int], dim: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(width, dim) for width in dims)


def _projected(layers: nn.ModuleList, parts: Sequence[Tensor]) -> list[Tensor]:
    return [layer(part) for layer, part in zip(layers, parts, strict=True)]
