"""How each modality is encoded by a frozen encoder, and what an encoder that is trained reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmclf.config.schema import Augment, Encode
from mmclf.data.augment import augment_view
from mmclf.data.decoded_images import DecodedImages
from mmclf.models.description import describe_encoder
from mmclf.models.encoders import is_fitted
from mmclf.models.smoke_check import check_encoder
from mmclf.progress import progress_bar
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.store import Computed
from mmclf.training.batches import CaptionInput, ImageInput, ModalityInput
from mmclf.training.encode import encode_captions, encode_images, standardise
from mmclf.training.features import Features
from mmclf.training.precision import Precision

Rows = NDArray[np.int64]


class ModalityEncoding(Protocol):
    """What encoding and training do with one modality of all N samples of a run."""

    def encoder_arguments(self) -> dict[str, Any]:
        """What an encoder's constructor is given, beside its settings, if it names it."""

    def check(self, encoder: Any) -> None:
        """Raise InputError unless the encoder makes features of a sample."""

    def to_device(self, encoder: nn.Module, device: torch.device) -> None:
        """Move an encoder to the device, in the memory layout that suits it."""

    def probe(self, encoder: Any, rows: Rows, device: torch.device) -> Callable[[], Tensor]:
        """What computes features (B, D) of some rows, once and again, to measure precisions."""

    def encode(
        self,
        encoder: Any,
        view: int,
        *,
        settings: Encode,
        precision: Precision,
        device: torch.device,
    ) -> Computed[Features]:
        """The features (N, D) of one view of all samples, view 0 the clean one."""

    def training_input(self, encoder: Any, rows: Rows) -> ModalityInput:
        """What an encoder that is trained reads of some rows."""


@dataclass(frozen=True)
class ImageEncoding:
    """Images: those that could be read, and augmented views of those that may be trained on.

    Args:
        images: decoded, of all N samples.
        own_test: (N,) the samples that the source keeps for the test.
        size: of the images in pixels.
        augment: what the views look like.

    """

    images: DecodedImages
    own_test: NDArray[np.bool_]
    size: int
    augment: Augment

    def encoder_arguments(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def check(self, encoder: Any) -> None:
        """Raise InputError unless the encoder makes features of a black picture."""
        picture = torch.zeros(1, 3, self.size, self.size)
        check_encoder(
            "vision",
            encoder,
            lambda encoder: encoder(picture),
            f"a picture of image.size={self.size}",
        )

    def to_device(self, encoder: nn.Module, device: torch.device) -> None:
        """Move an encoder to the device, its weights with the channels last."""
        net: Any = encoder  # whose `to` is typed without memory formats
        net.to(device=device, memory_format=torch.channels_last)

    def probe(self, encoder: Any, rows: Rows, device: torch.device) -> Callable[[], Tensor]:
        """Features of the clean pictures of some rows."""
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
    ) -> Computed[Features]:
        """The features of one view, NaN for images that have none."""
        self.to_device(encoder, device)
        pictures, rows, augment = self.images.pictures, self._rows(view), self.augment
        make_view = partial(
            augment_view,
            view=view,
            padding=augment.padding,
            horizontal_flip=augment.horizontal_flip,
            vertical_flip=augment.vertical_flip,
            seed=augment.seed,
        )
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
            )
        values = np.full((len(pictures), features.shape[1]), np.nan, dtype=np.float32)
        values[rows] = features.numpy()
        return Computed(Features(values, describe_encoder(encoder)), clock.elapsed(), len(rows))

    def training_input(self, encoder: Any, rows: Rows) -> ModalityInput:
        """Pictures, augmented anew each time that they are drawn."""
        return ImageInput(self.images.pictures, rows, encoder, self.augment)

    def _rows(self, view: int) -> Rows:
        """The samples with a picture; of a view but the clean one those that may be trained on."""
        chosen = np.ones(len(self.own_test), dtype=bool)
        chosen[list(self.images.unreadable)] = False
        if view > 0:
            chosen &= ~self.own_test
        return np.flatnonzero(chosen)


@dataclass(frozen=True)
class TextEncoding:
    """Captions of all N samples; `train` are the rows that train."""

    captions: Sequence[str]
    train: Rows

    def encoder_arguments(self) -> dict[str, Any]:
        """The training samples' captions, for a tokenizer that has no vocabulary."""
        return {"train_captions": self._train_captions()}

    def check(self, encoder: Any) -> None:
        """Raise InputError unless the encoder makes features of a caption.

        One that is fitted first, as TF-IDF, is not tried.
        """
        if is_fitted(encoder):
            return
        check_encoder(
            "text", encoder, lambda encoder: encoder(encoder.tokenize(["a caption"])), "a caption"
        )

    def to_device(self, encoder: nn.Module, device: torch.device) -> None:
        """Move an encoder to the device."""
        encoder.to(device)

    def probe(self, encoder: Any, rows: Rows, device: torch.device) -> Callable[[], Tensor]:
        """Features of the captions of some rows."""
        self.to_device(encoder, device)
        tokens = encoder.tokenize([self.captions[i] for i in rows])
        batch = {name: value.to(device) for name, value in tokens.items()}
        return lambda: encoder(batch)

    def encode(
        self,
        encoder: Any,
        view: int,
        *,
        settings: Encode,
        precision: Precision,
        device: torch.device,
    ) -> Computed[Features]:
        """The features of the captions, which have one view; a fitted encoder is fitted first."""
        del view
        count = len(self.captions)
        if is_fitted(encoder):
            clock = Stopwatch()
            encoder.fit(self._train_captions())
            values = encoder.transform(self.captions).numpy()
            return Computed(Features(values, describe_encoder(encoder)), clock.elapsed(), count)
        self.to_device(encoder, device)
        clock = Stopwatch()
        with progress_bar("encoding captions", count) as advance:
            values = encode_captions(
                encoder,
                self.captions,
                batch_size=settings.batch_size,
                precision=precision,
                device=device,
                advance=advance,
            ).numpy()
        return Computed(Features(values, describe_encoder(encoder)), clock.elapsed(), count)

    def training_input(self, encoder: Any, rows: Rows) -> ModalityInput:
        """Captions, tokenised batch by batch."""
        return CaptionInput([self.captions[i] for i in rows], encoder)

    def _train_captions(self) -> list[str]:
        return [self.captions[i] for i in self.train]
