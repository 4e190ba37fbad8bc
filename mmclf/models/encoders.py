"""The interfaces of encoders, whichever library they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeGuard

from torch import Tensor


class VisionEncoder(Protocol):
    """Computes features (B, D) of standardised images (B, 3, H, W)."""

    out_dim: int

    def __call__(self, pictures: Tensor, /) -> Tensor:
        """Features (B, D)."""


class TextEncoder(Protocol):
    """Tokenises captions, and computes their features (B, D)."""

    out_dim: int

    def tokenize(self, captions: Sequence[str], /) -> Mapping[str, Tensor]:
        """Token ids, attention mask and the like, each (B, T)."""

    def __call__(self, tokens: Mapping[str, Tensor], /) -> Tensor:
        """Features (B, D)."""


class FittedEncoder(Protocol):
    """An encoder that is fitted to the training captions, as TF-IDF, not trained by gradients."""

    @property
    def out_dim(self) -> int:
        """The width D of the features, available once the encoder is fitted."""

    def fit(self, captions: Sequence[str], /) -> object:
        """Fit to the training captions."""

    def transform(self, captions: Sequence[str], /) -> Tensor:
        """Features (N, D) in float32."""


def is_fitted(encoder: object) -> TypeGuard[FittedEncoder]:
    """Whether an encoder is fitted to captions: whether it has a method `fit`."""
    return hasattr(encoder, "fit")
