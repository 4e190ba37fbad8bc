"""What prediction does with each modality: which samples lack it, and its features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from mmclf.config.schema import Image
from mmclf.models.encoders import is_fitted
from mmclf.pipeline.predict.forward import ForwardOptions, caption_features, image_features
from mmclf.pipeline.predict.inputs import PredictionInputs, decoded
from mmclf.progress import progress_bar


class PredictionModality(Protocol):
    """A modality as prediction needs it.

    `noun`: one of it; `stand_in`: what a sample is given that lacks it.
    """

    noun: str
    stand_in: str

    def missing(self, samples: PredictionInputs) -> int:
        """How many samples lack it."""

    def to_device(self, encoder: Any, device: torch.device) -> None:
        """Move its encoder to the device."""

    def features(
        self,
        encoder: Any,
        samples: PredictionInputs,
        *,
        image: Image,
        store: Path | None,
        options: ForwardOptions,
    ) -> Tensor:
        """Features (N, D) of the samples; raises InputError for what cannot be read.

        Args:
            image: how images are decoded.
            store: the folder of a store that keeps decoded images.

        """


class VisionPrediction:
    """Images; a grey one stands in."""

    noun = "image"
    stand_in = "a grey picture, the mean that its encoder expects, stands in"

    def missing(self, samples: PredictionInputs) -> int:
        """How many samples have no image."""
        return sum(image is None for image in samples.images)

    def to_device(self, encoder: Any, device: torch.device) -> None:
        """Move the encoder to the device, its weights with the channels last."""
        encoder.to(device=device, memory_format=torch.channels_last)

    def features(
        self,
        encoder: Any,
        samples: PredictionInputs,
        *,
        image: Image,
        store: Path | None,
        options: ForwardOptions,
    ) -> Tensor:
        """Features (N, D) of the images."""
        with (
            decoded(samples.images, size=image.size, crop=image.crop, store=store) as pictures,
            progress_bar("encoding images", len(samples)) as advance,
        ):
            return image_features(encoder, *pictures, options=options, advance=advance)


class TextPrediction:
    """Captions; an empty one stands in."""

    noun = "caption"
    stand_in = "an empty one stands in"

    def missing(self, samples: PredictionInputs) -> int:
        """How many samples have no caption, or an empty one."""
        return sum(text is None or not text.strip() for text in samples.captions)

    def to_device(self, encoder: Any, device: torch.device) -> None:
        """Move the encoder to the device, if it is a network."""
        if isinstance(encoder, nn.Module):
            encoder.to(device)

    def features(
        self,
        encoder: Any,
        samples: PredictionInputs,
        *,
        image: Image,
        store: Path | None,
        options: ForwardOptions,
    ) -> Tensor:
        """Features (N, D) of the captions."""
        del image, store
        captions = [text if text is not None else "" for text in samples.captions]
        if is_fitted(encoder):
            return encoder.transform(captions)
        with progress_bar("encoding captions", len(samples)) as advance:
            return caption_features(encoder, captions, options=options, advance=advance)


MODALITIES: Mapping[str, PredictionModality] = {
    "vision": VisionPrediction(),
    "text": TextPrediction(),
}
