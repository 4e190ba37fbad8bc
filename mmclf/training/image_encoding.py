"""The encoding of images, decoded and augmented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmclf.config.schema import Augment, Encode
from mmclf.data.augment import augment_view
from mmclf.data.decoded_images import DecodedImages
from mmclf.models.describe import describe_encoder
from mmclf.models.smoke_check import check_encoder
from mmclf.progress import progress_bar
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.stage_result import Computed
from mmclf.training.batches import ImageInput, ModalityInput
from mmclf.training.encode import encode_images, standardise
from mmclf.training.encoding import Rows
from mmclf.training.features import Features
from mmclf.training.precision import Precision
from mmclf.training.share import ALONE, Share
from mmclf.training.warm_up import warm_up_encoder


@dataclass(frozen=True)
class ImageEncoding:
    """Encodes images; augmented views only of those that may be trained on.

    Args:
        images: decoded, of all N samples.
        own_test: (N,) the samples of the source's own test set.
        size: of the images in pixels.
        augment: settings of the augmented views.

    """

    images: DecodedImages
    own_test: NDArray[np.bool_]
    size: int
    augment: Augment

    def encoder_arguments(self) -> dict[str, Any]:
        """No arguments."""
        return {}

    def check(self, encoder: Any) -> None:
        """Raise InputError unless the encoder computes features of an image."""
        picture = torch.zeros(1, 3, self.size, self.size)
        check_encoder(
            "vision",
            encoder,
            lambda encoder: encoder(picture),
            f"a picture of image.size={self.size}",
        )

    def to_device(self, encoder: nn.Module, device: torch.device) -> None:
        """Move an encoder to the device, with weights in channels-last layout."""
        net: Any = encoder  # `to` is typed without memory formats
        net.to(device=device, memory_format=torch.channels_last)

    def probe(self, encoder: Any, rows: Rows, device: torch.device) -> Callable[[], Tensor]:
        """A function that computes features of some rows without augmentation."""
        self.to_device(encoder, device)
        pictures = torch.from_numpy(self.images.pictures[rows]).to(device)
        return lambda: encoder(standardise(encoder, pictures))

    def encode(
        self,
        encoder: Any,
        view: int,
        *,
        settings: Encode,
        precision: Precision,
        device: torch.device,
        share: Share = ALONE,
    ) -> Computed[Features]:
        """The features of one view, NaN for images that are not encoded."""
        pictures, rows, augment = self.images.pictures, self._rows_to_encode(view), self.augment
        make_view = partial(
            augment_view,
            view=view,
            padding=augment.padding,
            horizontal_flip=augment.horizontal_flip,
            vertical_flip=augment.vertical_flip,
            seed=augment.seed,
        )
        warm_up_encoder(self.probe(encoder, rows[:1], device), precision, device)
        clock = Stopwatch()
        title = "encoding images" if view == 0 else f"encoding images, view {view}"
        with progress_bar(title, len(rows)) as advance:
            features = encode_images(
                encoder,
                pictures,
                rows,
                make_view=make_view,
                batch_size=settings.batch_size,
                precision=precision,
                device=device,
                advance=advance,
                share=share,
            )
        values = np.full((len(pictures), features.shape[1]), np.nan, dtype=np.float32)
        values[rows] = features.numpy()
        seconds = clock.elapsed()
        # The description, which is no part of the encoding, imports and hashes: after the clock.
        return Computed(Features(values, describe_encoder(encoder)), seconds, len(rows))

    def training_input(self, encoder: Any, rows: Rows) -> ModalityInput:
        """Images that are augmented anew in every epoch."""
        return ImageInput(self.images.pictures, rows, encoder, self.augment)

    def _rows_to_encode(self, view: int) -> Rows:
        """The rows with a readable image, in augmented views without the source's own test set."""
        is_encoded = np.ones(len(self.own_test), dtype=bool)
        is_encoded[list(self.images.unreadable)] = False
        if view > 0:
            is_encoded &= ~self.own_test
        return np.flatnonzero(is_encoded)
