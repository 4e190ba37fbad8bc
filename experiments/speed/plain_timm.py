"""The baseline of encoding: timm's model in fp32, fed by a loader of torch that reads files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from encoders import vision_encoder
from measuring import Side
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from workspace import SIZE

WORKERS = 2


class Pictures(Dataset[Tensor]):
    """Image files as standardised pictures (3, H, W)."""

    def __init__(self, paths: Sequence[Path], mean: Sequence[float], std: Sequence[float]) -> None:
        self._paths = paths
        self._transform = transforms.Compose(
            [
                transforms.Resize((SIZE, SIZE)),
                transforms.ToTensor(),
                transforms.Normalize(mean, std),
            ]
        )

    def __len__(self) -> int:
        """How many."""
        return len(self._paths)

    def __getitem__(self, index: int) -> Tensor:
        """One of them."""
        with Image.open(self._paths[index]) as picture:
            standardised: Tensor = self._transform(picture.convert("RGB"))
        return standardised


def plain_side(name: str, paths: Sequence[Path], batch_size: int) -> Side:
    """What encodes the files once with the encoder called `name`, workers started each time."""
    encoder = vision_encoder(name)
    pictures = Pictures(paths, encoder.mean, encoder.std)

    @torch.inference_mode()
    def encode() -> float:
        started = time.perf_counter()
        loader = DataLoader(
            pictures,
            batch_size=batch_size,
            num_workers=WORKERS,
            # As everywhere on Linux; a process that was spawned would spawn, which takes seconds.
            multiprocessing_context="fork",
        )
        torch.cat([encoder(batch) for batch in loader])
        return time.perf_counter() - started

    return encode
