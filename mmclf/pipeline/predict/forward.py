"""Forward passes in which a sample's result does not depend on the other samples.

The last bits of a result depend on the batch's shape and, where a processor's threads divide the
batch, on the sample's position in it; close to a threshold they decide a label. So a batch is one
sample on the CPU, which costs little there, and always `ACCELERATOR_BATCH` samples on an
accelerator, where the position does not matter; its last batch is filled up. Captions are never
padded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf.data.images import Pictures
from mmclf.models.classifier import Classifier
from mmclf.models.encoders import TextEncoder, VisionEncoder
from mmclf.training.encode import Advance, standardise

ACCELERATOR_BATCH = 32
DTYPES: Mapping[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class ForwardOptions:
    """The options of a forward pass; `size` is that of a batch."""

    precision: str
    device: torch.device
    size: int

    def autocast(self) -> AbstractContextManager[None]:
        """The context of a forward pass in the precision."""
        context: AbstractContextManager[None] = torch.autocast(
            self.device.type, dtype=DTYPES.get(self.precision), enabled=self.precision in DTYPES
        )
        return context


def batch_size(device: torch.device) -> int:
    """The number of samples in a batch on the device."""
    return 1 if device.type == "cpu" else ACCELERATOR_BATCH


@torch.inference_mode()
def image_features(
    encoder: VisionEncoder,
    pictures: Pictures,
    rows: NDArray[np.int64],
    *,
    options: ForwardOptions,
    advance: Advance,
) -> Tensor:
    """Features (N, D) of the images (K, H, W, 3) at `rows` (N,).

    A row of -1 is a missing image: zeros after standardisation, the grey of the encoder's mean.
    """
    features = torch.empty(len(rows), encoder.out_dim)
    for batch_rows, count in full_batches(range(len(rows)), options.size):
        image_rows = rows[batch_rows]
        is_missing = torch.from_numpy(image_rows < 0).to(options.device)
        images = np.zeros((options.size, *pictures.shape[1:]), dtype=np.uint8)
        images[image_rows >= 0] = pictures[image_rows[image_rows >= 0]]
        batch = standardise(encoder, torch.from_numpy(images).to(options.device))
        batch[is_missing] = 0
        with options.autocast():
            encoded = encoder(batch)
        features[batch_rows[:count]] = encoded[:count].float().cpu()
        advance(count)
    return features


@torch.inference_mode()
def caption_features(
    encoder: TextEncoder,
    captions: Sequence[str],
    *,
    options: ForwardOptions,
    advance: Advance,
) -> Tensor:
    """Features (N, D) of the captions; a batch has captions of the same number of tokens."""
    features = torch.empty(len(captions), encoder.out_dim)
    tokens = [encoder.tokenize([caption]) for caption in captions]
    for rows in _group_by_shape(tokens):
        for batch_rows, count in full_batches(rows, options.size):
            batch = {
                name: torch.cat([tokens[row][name] for row in batch_rows]).to(options.device)
                for name in tokens[batch_rows[0]]
            }
            with options.autocast():
                encoded = encoder(batch)
            features[batch_rows[:count]] = encoded[:count].float().cpu()
            advance(count)
    return features


@torch.inference_mode()
def logits_of(
    classifier: Classifier,
    features: Mapping[str, Tensor],
    options: ForwardOptions,
) -> Tensor:
    """Logits (N, L) of features (N, D_m) by modality."""
    count = len(next(iter(features.values())))
    logits_by_batch = []
    for batch_rows, kept_count in full_batches(range(count), options.size):
        # Copied, not sliced: the alignment of a row in memory can change the last bits.
        batch = {name: values[batch_rows].to(options.device) for name, values in features.items()}
        with options.autocast():
            logits = classifier(batch)
        logits_by_batch.append(logits[:kept_count].float().cpu())
    return torch.cat(logits_by_batch)


def full_batches(rows: Sequence[int], size: int) -> Iterator[tuple[list[int], int]]:
    """Batches of `size` rows with the number of distinct ones: the last row fills up the rest."""
    for start in range(0, len(rows), size):
        batch = [*rows[start : start + size]]
        yield batch + [batch[-1]] * (size - len(batch)), len(batch)


def _group_by_shape(tokens: Sequence[Mapping[str, Tensor]]) -> Iterator[list[int]]:
    """Groups of rows whose tokens have the same shapes."""
    groups: defaultdict[Any, list[int]] = defaultdict(list)
    for row, sample_tokens in enumerate(tokens):
        groups[tuple((name, tuple(value.shape)) for name, value in sample_tokens.items())].append(
            row
        )
    yield from groups.values()
