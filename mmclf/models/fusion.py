"""Fusions: from a feature tensor (B, D_m) of each modality to one (B, D), or to logits (B, L).

Every fusion takes `dims`, the widths D_m in the order of the modalities, and works for any number
of modalities. `normalise` applies layer normalisation to each modality first, so that none
dominates by the scale of its features. `out_dim` is D, or None if the fusion computes logits.
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
    """Layer normalisation of each modality's features if `on`, else the identity.

    Without the gain and bias of Ba et al. 2016 (arXiv:1607.06450): every fusion or head continues
    with a linear layer, which learns them.
    """

    def __init__(self, on: bool) -> None:
        super().__init__()
        self.on = on

    def forward(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """Normalised features of the same shapes (B, D_m)."""
        if not self.on:
            return list(parts)
        return [nn.functional.layer_norm(part, part.shape[-1:]) for part in parts]


class Concat(nn.Module):
    """The concatenation of the modalities' features: D is the sum of `dims`.

    >>> fusion = Concat(dims=[3, 2])
    >>> fusion.out_dim, fusion([torch.zeros(4, 3), torch.zeros(4, 2)]).shape
    (5, torch.Size([4, 5]))
    """

    def __init__(self, dims: Sequence[int], normalise: bool = False) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.out_dim = sum(dims)

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Fused features (B, D) of `parts`, in the order of `dims`."""
        return torch.cat(self.normalise(parts), dim=1)


class Sum(nn.Module):
    """The sum of linear projections of each modality to D = `dim`.

    >>> Sum(dims=[3, 2], dim=6)([torch.zeros(4, 3), torch.zeros(4, 2)]).shape
    torch.Size([4, 6])
    """

    def __init__(self, dims: Sequence[int], dim: Width = 512, normalise: bool = False) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.projections = _projections(dims, dim)
        self.out_dim = dim

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Fused features (B, D) of `parts`, in the order of `dims`."""
        return torch.stack(_apply_each(self.projections, self.normalise(parts))).sum(dim=0)


class Product(nn.Module):
    """The elementwise product of tanh of linear projections of each modality to D = `dim`.

    Low-rank bilinear pooling (Kim et al. 2017, arXiv:1610.04325, section 3); the head is its last
    projection.

    >>> Product(dims=[3, 2], dim=6)([torch.zeros(4, 3), torch.zeros(4, 2)]).shape
    torch.Size([4, 6])
    """

    def __init__(self, dims: Sequence[int], dim: Width = 512, normalise: bool = False) -> None:
        super().__init__()
        self.normalise = Normalise(normalise)
        self.projections = _projections(dims, dim)
        self.out_dim = dim

    def forward(self, parts: Sequence[Tensor]) -> Tensor:
        """Fused features (B, D) of `parts`, in the order of `dims`."""
        projected = _apply_each(self.projections, self.normalise(parts))
        return functools.reduce(torch.mul, [part.tanh() for part in projected])


class Gated(nn.Module):
    """The gated multimodal unit: each of the D = `dim` units is a mean weighted by the input.

    With h_m = tanh(W_m x_m) and, for two modalities, z = sigmoid(W_z [x_1, x_2]), it is
    z h_1 + (1 - z) h_2 (Arevalo et al. 2017, arXiv:1702.01992, section 3). For M modalities the
    weights are a softmax over M gate logits, the last of them 0: this equals the sigmoid for two,
    and sums to 1 for any M, unlike the paper's M sigmoids. The layers have biases, which the
    paper's equations omit.

    >>> Gated(dims=[3, 2], dim=6)([torch.zeros(4, 3), torch.zeros(4, 2)]).shape
    torch.Size([4, 6])
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
        hidden = torch.stack(_apply_each(self.projections, parts)).tanh()
        concatenated = torch.cat(tuple(parts), dim=1)
        logits = [gate(concatenated) for gate in self.gates]
        weights = torch.stack([*logits, torch.zeros_like(hidden[-1])]).softmax(dim=0)
        return (weights * hidden).sum(dim=0)


class Late(nn.Module):
    """A head for each modality, and the mean of their logits (B, L).

    `make_head` makes a head for inputs of a given width.

    >>> fusion = Late(dims=[3, 2], make_head=lambda width: nn.Linear(width, 18))
    >>> fusion.out_dim, fusion([torch.zeros(4, 3), torch.zeros(4, 2)]).shape
    (None, torch.Size([4, 18]))
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
        return torch.stack(_apply_each(self.heads, self.normalise(parts))).mean(dim=0)


def _projections(dims: Sequence[int], dim: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(width, dim) for width in dims)


def _apply_each(layers: nn.ModuleList, parts: Sequence[Tensor]) -> list[Tensor]:
    return [layer(part) for layer, part in zip(layers, parts, strict=True)]
