"""A small classifier of pictures and captions whose encoders are trained, and its examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mmclf.config.schema import Augment
from mmclf.models.classifier import Classifier
from mmclf.models.fusion import Concat
from mmclf.models.heads import make_head
from mmclf.training.batches import CaptionInput, ImageInput, ModalityInput, TrainingSet

CROPS = Augment(views=2, padding=2, horizontal_flip=0.5, vertical_flip=0.0, seed=0)
WORDS = ("ab", "cde", "f")


class Seeing(nn.Module):
    """Convolution, batch statistics and dropout, its weights in channels-last layout."""

    out_dim = 4
    mean, std = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, pictures: Tensor) -> Tensor:
        found: Tensor = nn.functional.dropout(
            self.norm(self.conv(pictures)).relu().mean((2, 3)), 0.2, self.training
        )
        return found


class Reading(nn.Module):
    """Embeds letters; the same table is known by two names."""

    out_dim = 3

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(128, 3)
        self.again = self.table

    def tokenize(self, captions: Sequence[str]) -> Mapping[str, Tensor]:
        width = max(map(len, captions))
        return {"ids": torch.tensor([[ord(c) for c in text.ljust(width)] for text in captions])}

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        found: Tensor = self.table(tokens["ids"]).mean(1)
        return found


def raw_classifier() -> Classifier:
    torch.manual_seed(0)
    encoders = {"vision": Seeing(), "text": Reading()}
    return Classifier(encoders, Concat([4, 3]), make_head(7, 2, 8, 0.3))


def raw_examples(model: Classifier, count: int = 12, seed: int = 0) -> TrainingSet:
    """Pictures that are cropped and flipped, and captions of which one is drawn."""
    generator = np.random.default_rng(seed)
    pictures = generator.integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    captions = [WORDS[: 1 + i % 3] for i in range(count)]
    vision, text = model.encoders["vision"], model.encoders["text"]
    inputs: dict[str, ModalityInput] = {
        "vision": ImageInput(pictures, np.arange(count), vision, CROPS),  # type: ignore[arg-type]
        "text": CaptionInput(captions, text),  # type: ignore[arg-type]
    }
    labels = torch.from_numpy(generator.integers(0, 2, (count, 2))).float()
    return TrainingSet([f"{i}.jpg" for i in range(count)], inputs, labels)
