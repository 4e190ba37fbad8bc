"""The modalities in prediction: missing inputs and features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from mmclf.config.schema import Image
from mmclf.models.encoders import is_fitted
from mmclf.pipeline.predict.forward import ForwardOptions, caption_features, image_features
from mmclf.pipeline.predict.inputs import PredictionInputs, decoded
from mmclf.progress import progress_bar


class PredictionModality(Protocol):
    """A modality in prediction.

    Attributes:
        noun: for an input of the modality.
        stand_in: a phrase for what replaces a missing input.

    """

    noun: str
    stand_in: str

    def missing(self, samples: PredictionInputs) -> int:
        """The number of samples without an input of the modality."""

    def to_device(self, encoder: Any, device: torch.device) -> None:
        """Move the encoder to the device."""

    def features(
        self,
        encoder: Any,
        samples: PredictionInputs,
        *,
        image: Image,
        options: ForwardOptions,
        purpose: str = "",
    ) -> Tensor:
        """Features (N, D) of the samples; raises InputError for inputs that cannot be read.

        Args:
            encoder: of the modality.
            samples: of size N.
            image: settings of decoding.
            options: of the forward passes.
            purpose: of the passes, for the progress bar; empty for the samples' first.

        """


class VisionPrediction:
    """Images; missing ones are replaced by a grey image."""

    noun = "image"
    stand_in = "a grey picture, the mean that its encoder expects, stands in"

    def missing(self, samples: PredictionInputs) -> int:
        """The number of samples without an image."""
        return sum(image is None for image in samples.images)

    def to_device(self, encoder: Any, device: torch.device) -> None:
        """Move the encoder to the device, with weights in channels-last layout."""
        encoder.to(device=device, memory_format=torch.channels_last)

    def features(
        self,
        encoder: Any,
        samples: PredictionInputs,
        *,
        image: Image,
        options: ForwardOptions,
        purpose: str = "",
    ) -> Tensor:
        """Features (N, D) of the images."""
        with progress_bar(f"encoding images{purpose}", len(samples)) as advance:
            return image_features(
                encoder,
                decoded(samples.images, size=image.pixels, crop=image.crop),
                count=len(samples),
                pixels=image.pixels,
                options=options,
                advance=advance,
            )


class TextPrediction:
    """Captions; missing ones are replaced by an empty caption."""

    noun = "caption"
    stand_in = "an empty one stands in"

    def missing(self, samples: PredictionInputs) -> int:
        """The number of samples with no caption, or an empty one."""
        rows = range(len(samples))
        return sum(not any(text.strip() for text in samples.captions_of(row)) for row in rows)

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
        options: ForwardOptions,
        purpose: str = "",
    ) -> Tensor:
        """Features (N, D) of the captions; of several captions of a sample their mean."""
        del image
        by_sample = [samples.captions_of(row) for row in range(len(samples))]
        captions = [text for own in by_sample for text in own]
        if is_fitted(encoder):
            features = encoder.transform(captions)
        else:
            with progress_bar(f"encoding captions{purpose}", len(captions)) as advance:
                features = caption_features(encoder, captions, options=options, advance=advance)
        if len(captions) == len(samples):
            return features
        counts = torch.tensor([len(own) for own in by_sample])
        owners = torch.repeat_interleave(counts)
        sums = features.new_zeros(len(samples), features.shape[1])
        return sums.index_add(0, owners, features) / counts[:, None]


MODALITIES: Mapping[str, PredictionModality] = {
    "vision": VisionPrediction(),
    "text": TextPrediction(),
}
