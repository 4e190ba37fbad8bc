"""The interfaces of encoders, whichever library they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeGuard

from torch import Tensor


class VisionEncoder(Protocol):
    """Computes features (B, D) of standardised images (B, 3, H, W).

    >>> import torch
    >>> class MeanColour(torch.nn.Module):
    ...     out_dim = 3
    ...
    ...     def forward(self, pictures: Tensor) -> Tensor:
    ...         return pictures.mean(dim=(2, 3))
    >>> encoder: VisionEncoder = MeanColour()
    >>> encoder(torch.zeros(4, 3, 32, 32)).shape
    torch.Size([4, 3])
    """

    out_dim: int

    def __call__(self, pictures: Tensor, /) -> Tensor:
        """Features (B, D)."""


class TextEncoder(Protocol):
    """Tokenises captions, and computes their features (B, D).

    >>> import torch
    >>> class Length(torch.nn.Module):
    ...     out_dim = 1
    ...
    ...     def tokenize(self, captions: Sequence[str]) -> Mapping[str, Tensor]:
    ...         return {"length": torch.tensor([[float(len(text))] for text in captions])}
    ...
    ...     def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
    ...         return tokens["length"]
    >>> encoder: TextEncoder = Length()
    >>> encoder(encoder.tokenize(["a dog", "two cats"]))
    tensor([[5.],
            [8.]])
    """

    out_dim: int

    def tokenize(self, captions: Sequence[str], /) -> Mapping[str, Tensor]:
        """Token ids, attention mask and the like, each (B, T)."""

    def __call__(self, tokens: Mapping[str, Tensor], /) -> Tensor:
        """Features (B, D)."""


class FittedEncoder(Protocol):
    """An encoder that is fitted to the training captions, as TF-IDF, not trained by gradients.

    >>> from mmclf.models.tfidf import Tfidf
    >>> encoder: FittedEncoder = Tfidf(min_df=1)
    >>> _ = encoder.fit(["a dog runs", "a cat sits"])
    >>> encoder.out_dim, encoder.transform(["a dog sits"]).shape
    (4, torch.Size([1, 4]))
    """

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
