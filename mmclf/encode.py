"""Encode: samples to the features of frozen encoders, each sample once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf.data.images import Pictures
from mmclf.precision import Precision, autocast

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Advance = Callable[[int], None]
MakeView = Callable[[Pictures, int], Pictures]


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


def standardise(encoder: VisionEncoder, pictures: Tensor) -> Tensor:
    """Pictures (B, H, W, 3) of bytes as (B, 3, H, W), with the encoder's own mean and std.

    An encoder without `mean` and `std` gets ImageNet's.
    """
    mean = torch.tensor(getattr(encoder, "mean", IMAGENET_MEAN), device=pictures.device)
    std = torch.tensor(getattr(encoder, "std", IMAGENET_STD), device=pictures.device)
    # The permuted view of (B, H, W, 3) is (B, 3, H, W) in channels_last order, without a copy.
    return pictures.float().div_(255).sub_(mean).div_(std).permute(0, 3, 1, 2)


@torch.inference_mode()
def encode_images(
    encoder: VisionEncoder,
    pictures: Pictures,
    rows: NDArray[np.int64],
    *,
    views: int,
    make_view: MakeView,
    batch_size: int,
    precision: Precision,
    device: torch.device,
    advance: Advance,
) -> Tensor:
    """Features (N, V, D) of the views 0 to V - 1 of N `rows` of the pictures.

    `advance` is told of every encoded view, for a progress bar.
    """
    features = torch.empty(len(rows), views, encoder.out_dim)
    for start in range(0, len(rows), batch_size):
        batch = pictures[rows[start : start + batch_size]]
        for view in range(views):
            seen = torch.from_numpy(np.ascontiguousarray(make_view(batch, view))).to(device)
            with autocast(precision, device):
                encoded = encoder(standardise(encoder, seen))
            features[start : start + len(batch), view] = encoded.float().cpu()
            advance(len(batch))
    return features


@torch.inference_mode()
def encode_captions(
    encoder: TextEncoder,
    captions: Sequence[str],
    *,
    batch_size: int,
    precision: Precision,
    device: torch.device,
    advance: Advance,
) -> Tensor:
    """Features (N, 1, D) of the captions; those of like length share a batch: little is padded."""
    features = torch.empty(len(captions), 1, encoder.out_dim)
    for rows in _by_length(captions, batch_size):
        tokens = encoder.tokenize([captions[i] for i in rows])
        with autocast(precision, device):
            encoded = encoder({name: value.to(device) for name, value in tokens.items()})
        features[rows, 0] = encoded.float().cpu()
        advance(len(rows))
    return features


def _by_length(captions: Sequence[str], batch_size: int) -> Iterator[list[int]]:
    order = sorted(range(len(captions)), key=lambda i: (len(captions[i]), i))
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
