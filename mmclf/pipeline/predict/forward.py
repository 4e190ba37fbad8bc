"""Forward passes in which a sample's result does not depend on the other samples.

The last bits of a result depend on the shape of its batch and, where a processor's threads divide
the batch among them, on the sample's place in it; at a threshold they decide a label. So a batch is
one sample on the CPU, which costs little there, and on an accelerator, whose threads all compute
alike, always `ON_ACCELERATOR` samples, the last batch filled up; captions are never padded.
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

ON_ACCELERATOR = 32
TYPES: Mapping[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class ForwardOptions:
    """How a forward pass runs; `size`: how many samples share a batch."""

    precision: str
    device: torch.device
    size: int

    def autocast(self) -> AbstractContextManager[None]:
        """The context in which a forward pass runs in the precision."""
        context: AbstractContextManager[None] = torch.autocast(
            self.device.type, dtype=TYPES.get(self.precision), enabled=self.precision in TYPES
        )
        return context


def batch_size(device: torch.device) -> int:
    """How many samples share a batch there."""
    return 1 if device.type == "cpu" else ON_ACCELERATOR


@torch.inference_mode()
def image_features(
    encoder: VisionEncoder,
    pictures: Pictures,
    rows: NDArray[np.int64],
    *,
    options: ForwardOptions,
    advance: Advance,
) -> Tensor:
    """Features (N, D) of the pictures (K, H, W, 3) at `rows` (N,).

    A row of -1 is no picture: zeros after the standardisation, the grey of the encoder's mean.
    """
    features = torch.empty(len(rows), encoder.out_dim)
    for batch_rows, kept in full_batches(range(len(rows)), options.size):
        wanted = rows[batch_rows]
        absent = torch.from_numpy(wanted < 0).to(options.device)
        seen = np.zeros((options.size, *pictures.shape[1:]), dtype=np.uint8)
        seen[wanted >= 0] = pictures[wanted[wanted >= 0]]
        batch = standardise(encoder, torch.from_numpy(seen).to(options.device))
        batch[absent] = 0
        with options.autocast():
            encoded = encoder(batch)
        features[batch_rows[:kept]] = encoded[:kept].float().cpu()
        advance(kept)
    return features


@torch.inference_mode()
def caption_features(
    encoder: TextEncoder,
    captions: Sequence[str],
    *,
    options: ForwardOptions,
    advance: Advance,
) -> Tensor:
    """Features (N, D) of the captions, those of the same number of tokens together."""
    features = torch.empty(len(captions), encoder.out_dim)
    tokens = [encoder.tokenize([caption]) for caption in captions]
    for rows in _alike(tokens):
        for batch_rows, kept in full_batches(rows, options.size):
            batch = {
                name: torch.cat([tokens[row][name] for row in batch_rows]).to(options.device)
                for name in tokens[batch_rows[0]]
            }
            with options.autocast():
                encoded = encoder(batch)
            features[batch_rows[:kept]] = encoded[:kept].float().cpu()
            advance(kept)
    return features


@torch.inference_mode()
def logits_of(
    top: Classifier,
    features: Mapping[str, Tensor],
    options: ForwardOptions,
) -> Tensor:
    """Logits (N, L) of features (N, D_m) by modality."""
    count = len(next(iter(features.values())))
    logits_by_batch = []
    for batch_rows, kept in full_batches(range(count), options.size):
        # Copied, not sliced: where in memory a row begins can change the last bits too.
        batch = {name: values[batch_rows].to(options.device) for name, values in features.items()}
        with options.autocast():
            logits = top(batch)
        logits_by_batch.append(logits[:kept].float().cpu())
    return torch.cat(logits_by_batch)


def full_batches(rows: Sequence[int], size: int) -> Iterator[tuple[list[int], int]]:
    """The rows, `size` at a time, and how many of these count: the last is repeated to fill up."""
    for start in range(0, len(rows), size):
        some = [*rows[start : start + size]]
        yield some + [some[-1]] * (size - len(some)), len(some)


def _alike(tokens: Sequence[Mapping[str, Tensor]]) -> Iterator[list[int]]:
    """The rows whose tokens have the same shapes, together."""
    groups: defaultdict[Any, list[int]] = defaultdict(list)
    for row, one in enumerate(tokens):
        groups[tuple((name, tuple(value.shape)) for name, value in one.items())].append(row)
    yield from groups.values()
