"""Encode: samples to the features of frozen encoders, each sample once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf.data.images import Pictures
from mmclf.models.encoders import TextEncoder, VisionEncoder
from mmclf.training.cuda_graphs import cuda_graphs
from mmclf.training.precision import Precision, autocast
from mmclf.training.prefetch import prefetch, to_device
from mmclf.training.share import ALONE, Share

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Advance = Callable[[int], None]
MakeView = Callable[[Pictures], Pictures]


def standardise(encoder: VisionEncoder, pictures: Tensor) -> Tensor:
    """Pictures (B, H, W, 3) of bytes as (B, 3, H, W), with the encoder's own mean and std.

    An encoder without `mean` and `std` gets ImageNet's.
    """
    mean = torch.tensor(getattr(encoder, "mean", IMAGENET_MEAN))
    std = torch.tensor(getattr(encoder, "std", IMAGENET_STD))
    # (x / 255 - mean) / std in two passes over the pictures instead of three.
    device = pictures.device
    scale, shift = to_device(1 / (255 * std), device), to_device(mean / std, device)
    # The permuted view of (B, H, W, 3) is (B, 3, H, W) in channels_last order, without a copy.
    return pictures.float().mul_(scale).sub_(shift).permute(0, 3, 1, 2)


@torch.inference_mode()
def encode_images(
    encoder: VisionEncoder,
    pictures: Pictures,
    rows: NDArray[np.int64],
    *,
    make_view: MakeView,
    batch_size: int,
    precision: Precision,
    device: torch.device,
    advance: Advance,
    share: Share = ALONE,
) -> Tensor:
    """Features (R, D) of a view of R `rows` of the pictures, which `make_view` makes of a batch.

    `advance` is called for every encoded picture, for a progress bar. Of several processes each
    encodes its share of the batches; the rows of the others are NaN.
    """

    def seen(start: int) -> Tensor:
        batch = make_view(pictures[rows[start : start + batch_size]])
        return to_device(torch.from_numpy(np.ascontiguousarray(batch)), device)

    starts = range(0, len(rows), batch_size)
    starts = starts[share.of(len(starts))]
    features = torch.full((len(rows), encoder.out_dim), torch.nan, device=device)
    with cuda_graphs([encoder], device):
        for start, batch in zip(starts, prefetch(seen, starts), strict=True):
            with autocast(precision, device):
                encoded = encoder(standardise(encoder, batch))
            features[start : start + len(batch)] = encoded
            advance(len(batch))
    return features.cpu()


@torch.inference_mode()
def encode_captions(
    encoder: TextEncoder,
    captions: Sequence[str],
    *,
    batch_size: int,
    precision: Precision,
    device: torch.device,
    advance: Advance,
    share: Share = ALONE,
) -> Tensor:
    """Features (N, D) of the captions; those of like length share a batch: little is padded.

    Of several processes each encodes its share of the batches; the rows of the others are NaN.
    """
    # What the encoder tells apart is tokenised once, for the lengths and for the batches.
    token_ids = encoder.token_ids(captions) if hasattr(encoder, "token_ids") else None
    batches = _by_length(captions, token_ids, batch_size)
    batches = batches[share.of(len(batches))]

    def tokens_of(batch: int) -> dict[str, Tensor]:
        rows = batches[batch]
        if token_ids is not None:
            tokens = encoder.pad([token_ids[i] for i in rows])  # type: ignore[attr-defined]
        else:
            tokens = encoder.tokenize([captions[i] for i in rows])
        return {name: to_device(value, device) for name, value in tokens.items()}

    features = torch.full((len(captions), encoder.out_dim), torch.nan, device=device)
    with cuda_graphs([encoder], device):
        for rows, tokens in zip(batches, prefetch(tokens_of, range(len(batches))), strict=True):
            with autocast(precision, device):
                encoded = encoder(tokens)
            features[to_device(torch.tensor(rows), device)] = encoded.float()
            advance(len(rows))
    return features.cpu()


def _by_length(
    captions: Sequence[str], token_ids: Sequence[Sequence[int]] | None, batch_size: int
) -> list[list[int]]:
    """Rows in batches of like length: in tokens where they are known, else in characters."""
    lengths = list(map(len, token_ids if token_ids is not None else captions))
    order = sorted(range(len(captions)), key=lambda i: (lengths[i], len(captions[i]), i))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
