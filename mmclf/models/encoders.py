"""What an encoder is to those who run it, whichever library it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeGuard

from torch import Tensor


class VisionEncoder(Protocol):
    """Features (B, D) of standardised pictures (B, 3, H, W)."""

    out_dim: int

    def __call__(self, pictures: Tensor, /) -> Tensor:
        """Features (B, D)."""


class TextEncoder(Protocol):
    """Features (B, D) of tokenised captions."""

    out_dim: int

    def tokenize(self, captions: Sequence[str], /) -> Mapping[str, Tensor]:
        """Token ids, attention mask and the like, each (B, T)."""

    def __call__(self, tokens: Mapping[str, Tensor], /) -> Tensor:
        """Features (B, D)."""


class FittedEncoder(Protocol):
    """Features of captions by what it learnt from others, as TF-IDF; it is not trained."""

    @property
    def out_dim(self) -> int:
        """The width D of the features, known once it is fitted."""

    def fit(self, captions: Sequence[str], /) -> object:
        """Learn from the training captions."""

    def transform(self, captions: Sequence[str], /) -> Tensor:
        """Features (N, D) in float32."""


def is_fitted(encoder: object) -> TypeGuard[FittedEncoder]:
    """Whether an encoder learns from captions by a `fit` of its own."""
    return hasattr(encoder, "fit")
