"""Random crops and flips of whole batches of pictures, for an encoder that is trained."""

from __future__ import annotations

import torch
from torch import Tensor

from mmclf.training.prefetch import to_device


def augmented(
    pictures: Tensor,
    generator: torch.Generator,
    *,
    padding: int,
    horizontal_flip: float,
    vertical_flip: float,
    share: tuple[slice, int] | None = None,
) -> Tensor:
    """Pictures (B, H, W, C) cropped and flipped at random, each by draws of its own.

    A picture is cropped out of itself padded by `padding` pixels, reflected, and flipped with the
    given probabilities. All of it is one look-up of rows and columns, on the pictures' device;
    torchvision's transforms would draw once for the batch. `generator` is on the CPU, so that the
    draws do not depend on the device. With `share`, the pictures are those rows of a batch of so
    many, and get what they would get as a part of it.
    """
    held, height, width = pictures.shape[:3]
    own, count = share if share is not None else (slice(None), held)
    device = pictures.device
    rows = _positions(height, count, padding, vertical_flip, generator)[own]
    columns = _positions(width, count, padding, horizontal_flip, generator)[own]
    rows, columns = to_device(rows, device), to_device(columns, device)
    batch = torch.arange(held, device=device)[:, None, None]
    return pictures[batch, rows[:, :, None], columns[:, None, :]]


def _positions(
    size: int, count: int, padding: int, flip: float, generator: torch.Generator
) -> Tensor:
    """Where each of `size` pixels of `count` pictures comes from, along one axis (count, size)."""
    shifts = torch.randint(-padding, padding + 1, (count, 1), generator=generator)
    flipped = torch.rand(count, 1, generator=generator) < flip
    steps = torch.arange(size).expand(count, size)
    positions = (torch.where(flipped, size - 1 - steps, steps) + shifts).abs()
    return size - 1 - (size - 1 - positions).abs()
