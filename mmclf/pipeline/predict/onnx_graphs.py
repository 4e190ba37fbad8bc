"""A restored model as modules of plain tensors, which ONNX can hold: the head, and the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mmclf.models.classifier import Classifier
from mmclf.models.encoders import is_fitted
from mmclf.pipeline.predict.restore import RestoredModel
from mmclf.training.encode import standardise

CAPTIONS = ("a dog on a bench", "two cats", "a man who rides a horse along the beach")


@dataclass(frozen=True)
class Graph:
    """A module to export.

    Args:
        module: takes tensors in the order of `inputs`; gives logits and probabilities (B, L).
        inputs: what each input is called.
        example: makes inputs of so many samples.

    """

    module: nn.Module
    inputs: tuple[str, ...]
    example: Callable[[int], tuple[Tensor, ...]]


class _Part(nn.Module):
    """The way of one modality from its inputs to its features (B, D); features stay as they are."""

    names: tuple[str, ...]

    def features(self, inputs: Sequence[Tensor]) -> Tensor:
        (features,) = inputs
        return features

    def example(self, count: int) -> tuple[Tensor, ...]:
        raise NotImplementedError


class _Features(_Part):
    def __init__(self, modality: str, width: int) -> None:
        super().__init__()
        self.names, self._width = (f"{modality}_features",), width

    def example(self, count: int) -> tuple[Tensor, ...]:
        """Features (B, D)."""
        return (torch.randn(count, self._width, generator=torch.Generator().manual_seed(count)),)


class _Images(_Part):
    def __init__(self, encoder: Any, pixels: int) -> None:
        super().__init__()
        self.encoder, self.names, self._pixels = encoder, ("image",), pixels

    def features(self, inputs: Sequence[Tensor]) -> Tensor:
        """Features of pictures (B, H, W, 3) of uint8."""
        features: Tensor = self.encoder(standardise(self.encoder, inputs[0]))
        return features

    def example(self, count: int) -> tuple[Tensor, ...]:
        """Pictures of noise."""
        shape, chance = (count, self._pixels, self._pixels, 3), torch.Generator()
        return (torch.randint(256, shape, dtype=torch.uint8, generator=chance.manual_seed(count)),)


class _Captions(_Part):
    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.names = tuple(encoder.tokenize([CAPTIONS[0]]))

    def features(self, inputs: Sequence[Tensor]) -> Tensor:
        """Features of tokens (B, T)."""
        features: Tensor = self.encoder(dict(zip(self.names, inputs, strict=True)))
        return features

    def example(self, count: int) -> tuple[Tensor, ...]:
        """The tokens of some captions."""
        tokens = self.encoder.tokenize([CAPTIONS[i % len(CAPTIONS)] for i in range(count)])
        return tuple(tokens.values())


class _Whole(nn.Module):
    def __init__(self, parts: Mapping[str, _Part], classifier: Classifier) -> None:
        super().__init__()
        self.parts, self.classifier = nn.ModuleDict(dict(parts)), classifier

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and probabilities (B, L)."""
        rest, features = [*inputs], {}
        for name, part in self.parts.items():
            assert isinstance(part, _Part)
            own, rest = rest[: len(part.names)], rest[len(part.names) :]
            features[name] = part.features(own)
        logits = self.classifier(features)
        return logits, logits.sigmoid()


def head_graph(restored: RestoredModel) -> Graph:
    """Fusion and head alone: of `vision_features` and `text_features` (B, D)."""
    parts = {
        name: _Features(name, encoder.out_dim) for name, encoder in restored.record.encoders.items()
    }
    return _graph(parts, restored.classifier)


def whole_graph(restored: RestoredModel) -> Graph:
    """Encoders, fusion and head.

    Of `image` (B, H, W, 3), uint8 at the run's size, and the tokenizer's `input_ids` and
    `attention_mask` (B, T); of what is no network, as TF-IDF, `text_features` (B, D).
    """
    parts: dict[str, _Part] = {}
    for name, encoder in restored.encoders.items():
        if is_fitted(encoder):
            parts[name] = _Features(name, encoder.out_dim)
        elif name == "vision":
            parts[name] = _Images(encoder, restored.record.image.pixels)
        else:
            parts[name] = _Captions(encoder)
    return _graph(parts, restored.classifier)


def _graph(parts: Mapping[str, _Part], classifier: Classifier) -> Graph:
    def example(count: int) -> tuple[Tensor, ...]:
        return tuple(value for part in parts.values() for value in part.example(count))

    names = tuple(name for part in parts.values() for name in part.names)
    return Graph(_Whole(parts, classifier).eval(), names, example)
