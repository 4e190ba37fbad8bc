"""Forward passes in batches of one shape, so that a sample's result does not depend on the others.

A library chooses what it computes by the shape of a batch: so every batch is full, the last one
filled up, and captions are padded to one of a few lengths. What is left is the place in the batch:
where a processor's threads divide the batch, the last bits of a result depend on it. The samples
whose labels they decide are found by `mmclf.pipeline.predict.close_calls` and computed alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from mmclf.data.images import Pictures
from mmclf.models.classifier import Classifier
from mmclf.models.encoders import TextEncoder, VisionEncoder
from mmclf.training.cuda_graphs import cuda_graphs
from mmclf.training.encode import Advance, standardise
from mmclf.training.prefetch import prefetch, to_device

BATCH = 32
FEW = 4  # samples that a CPU computes alone sooner than in a batch that is filled up
DTYPES: Mapping[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}

TokensOf = Callable[[Sequence[int]], Mapping[str, Tensor]]


@dataclass(frozen=True)
class ForwardOptions:
    """The options of a forward pass.

    Args:
        precision: `fp32`, `bf16` or `fp16`.
        device: to compute on.
        size: of a batch.
        together: number of samples that share a batch; it is filled up to `size`.
        few: so many samples, left over at the end, are batches of one each.

    """

    precision: str
    device: torch.device
    size: int = BATCH
    together: int = BATCH
    few: int = 0

    def autocast(self) -> AbstractContextManager[None]:
        """The context of a forward pass in the precision."""
        context: AbstractContextManager[None] = torch.autocast(
            self.device.type, dtype=DTYPES.get(self.precision), enabled=self.precision in DTYPES
        )
        return context


def forward_options(precision: str, device: torch.device, *, alone: bool = False) -> ForwardOptions:
    """The options of passes in `precision` on the device, with each sample `alone` or in batches.

    In fp32 on the CPU the shape of a batch changes no more than last bits, so that a batch may be
    of one sample. Elsewhere a sample that is alone has a batch of the usual size for itself.
    """
    changes_last_bits = device.type == "cpu" and precision not in DTYPES
    if alone:
        return ForwardOptions(precision, device, 1 if changes_last_bits else BATCH, together=1)
    return ForwardOptions(precision, device, few=FEW if changes_last_bits else 0)


@torch.inference_mode()
def image_features(
    encoder: VisionEncoder,
    pictures: Iterable[Pictures | None],
    *,
    count: int,
    pixels: int,
    options: ForwardOptions,
    advance: Advance,
) -> Tensor:
    """Features (N, D) of N = `count` pictures (`pixels`, `pixels`, 3), taken as they are needed.

    A missing picture is zeros after standardisation, the grey of the encoder's mean.
    """
    remaining = iter(pictures)
    batches = list(full_batches(range(count), options))

    def taken(number: int) -> tuple[Tensor, Tensor]:
        rows, kept = batches[number]
        loaded = list(islice(remaining, kept))
        loaded += [loaded[-1]] * (len(rows) - kept)
        array = np.zeros((len(rows), pixels, pixels, 3), dtype=np.uint8)
        for index, picture in enumerate(loaded):
            if picture is not None:
                array[index] = picture
        is_missing = torch.tensor([picture is None for picture in loaded])
        images = to_device(torch.from_numpy(array), options.device)
        return images, to_device(is_missing, options.device)

    features = torch.empty(count, encoder.out_dim)
    with cuda_graphs([encoder], options.device):
        numbers = range(len(batches))
        for number, (images, is_missing) in zip(numbers, prefetch(taken, numbers), strict=True):
            rows, kept = batches[number]
            batch = standardise(encoder, images)
            batch[is_missing] = 0
            with options.autocast():
                encoded = encoder(batch)
            features[rows[:kept]] = encoded[:kept].float().cpu()
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
    """Features (N, D) of the captions; a batch has captions of one length in tokens."""
    groups, tokens_of = _tokenised(encoder, captions)
    batches = [batch for rows in groups for batch in full_batches(rows, options)]

    def taken(number: int) -> Mapping[str, Tensor]:
        tokens = tokens_of(batches[number][0])
        return {name: to_device(value, options.device) for name, value in tokens.items()}

    features = torch.empty(len(captions), encoder.out_dim)
    with cuda_graphs([encoder], options.device):
        numbers = range(len(batches))
        for number, tokens in zip(numbers, prefetch(taken, numbers), strict=True):
            rows, kept = batches[number]
            with options.autocast():
                encoded = encoder(tokens)
            features[rows[:kept]] = encoded[:kept].float().cpu()
            advance(kept)
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
    for batch_rows, kept_count in full_batches(range(count), options):
        # Copied, not sliced: the alignment of a row in memory can change the last bits.
        batch = {name: values[batch_rows].to(options.device) for name, values in features.items()}
        with options.autocast():
            logits = classifier(batch)
        logits_by_batch.append(logits[:kept_count].float().cpu())
    return torch.cat(logits_by_batch)


def full_batches(rows: Sequence[int], options: ForwardOptions) -> Iterator[tuple[list[int], int]]:
    """Batches of rows with the number of distinct ones: the last row fills up the rest."""
    for start in range(0, len(rows), options.together):
        batch = [*rows[start : start + options.together]]
        if len(batch) <= options.few:
            yield from (([row], 1) for row in batch)
        else:
            yield batch + [batch[-1]] * (options.size - len(batch)), len(batch)


def padded_length(tokens: int) -> int:
    """The length that a caption of so many tokens is padded to: 8, 16, 24, 32, 48, 64, 96, ..."""
    step = max(8, (1 << max(tokens - 1, 0).bit_length()) // 4)
    return max(1, -(-tokens // step)) * step


def _tokenised(
    encoder: TextEncoder, captions: Sequence[str]
) -> tuple[Iterable[list[int]], TokensOf]:
    """Groups of rows whose tokens have one shape, and what makes a batch of rows of a group."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    if hasattr(encoder, "token_ids"):
        token_ids: Sequence[Sequence[int]] = encoder.token_ids(captions)
        lengths = [_length(encoder, len(ids)) for ids in token_ids]
        for row, length in enumerate(lengths):
            groups[length].append(row)

        def padded(rows: Sequence[int]) -> Mapping[str, Tensor]:
            # A row of the wanted length, which the others are padded to, and which is left out.
            longest = [0] * lengths[rows[0]]
            tokens = encoder.pad([*(token_ids[row] for row in rows), longest])  # type: ignore[attr-defined]
            return {name: value[:-1] for name, value in tokens.items()}

        return groups.values(), padded

    tokens = [encoder.tokenize([caption]) for caption in captions]
    for row, of_row in enumerate(tokens):
        groups[tuple((name, tuple(value.shape)) for name, value in of_row.items())].append(row)

    def joined(rows: Sequence[int]) -> Mapping[str, Tensor]:
        return {name: torch.cat([tokens[row][name] for row in rows]) for name in tokens[rows[0]]}

    return groups.values(), joined


def _length(encoder: TextEncoder, tokens: int) -> int:
    """The length to pad to; the caption's own where the encoder does not tell how long it takes."""
    longest: int | None = getattr(encoder, "max_length", None)
    return tokens if longest is None else max(tokens, min(padded_length(tokens), longest))
