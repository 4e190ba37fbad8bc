"""What each modality does with torch: encoding a run's samples, and new ones in prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from mmclf.config.schema import Config, Image
from mmclf.models.encoders import is_fitted
from mmclf.pipeline.modalities import images_of
from mmclf.pipeline.predict.forward import ForwardOptions, caption_features, image_features
from mmclf.pipeline.predict.inputs import PredictionInputs, decoded
from mmclf.pipeline.run_data import RunData
from mmclf.progress import progress_bar
from mmclf.training.encoding import ModalityEncoding
from mmclf.training.image_encoding import ImageEncoding
from mmclf.training.text_encoding import TextEncoding


class InputEncoding(Protocol):
    """The inputs of a modality, and how they are encoded.

    Attributes:
        noun: for an input of the modality.
        stand_in: a phrase for what replaces a missing input.

    """

    noun: str
    stand_in: str

    def of_run(self, config: Config, data: RunData) -> ModalityEncoding:
        """The encoding of a run's samples, whose results are stored, and their training."""

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


class Images:
    """Images; missing ones are replaced by a grey image."""

    noun = "image"
    stand_in = "a grey picture, the mean that its encoder expects, stands in"

    def of_run(self, config: Config, data: RunData) -> ModalityEncoding:
        """The encoding of the run's images."""
        return ImageEncoding(
            images_of(data), data.samples.own_test, config.image.pixels, config.augment
        )

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


class Captions:
    """Captions; missing ones are replaced by an empty caption."""

    noun = "caption"
    stand_in = "an empty one stands in"

    def of_run(self, config: Config, data: RunData) -> ModalityEncoding:
        """The encoding of the run's captions."""
        del config
        return TextEncoding(data.samples, data.parts.train)

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


ENCODINGS: Mapping[str, InputEncoding] = {"vision": Images(), "text": Captions()}
