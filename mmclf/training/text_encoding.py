"""The encoding of captions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmclf.config.schema import Encode
from mmclf.data.samples import Samples
from mmclf.models.describe import describe_encoder
from mmclf.models.encoders import is_fitted
from mmclf.models.smoke_check import check_encoder
from mmclf.progress import progress_bar
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.stage_result import Computed
from mmclf.training.batches import CaptionInput, ModalityInput
from mmclf.training.encode import encode_captions
from mmclf.training.encoding import Rows
from mmclf.training.features import Features
from mmclf.training.precision import Precision
from mmclf.training.share import ALONE, Share
from mmclf.training.warm_up import warm_up_encoder


@dataclass(frozen=True)
class TextEncoding:
    """Encodes captions.

    Args:
        samples: all N.
        train: the rows of the training samples.

    """

    samples: Samples
    train: Rows

    def encoder_arguments(self) -> dict[str, Any]:
        """The training captions, for a tokenizer without a vocabulary."""
        return {"train_captions": self._train_captions()}

    def check(self, encoder: Any) -> None:
        """Raise InputError unless the encoder computes features of a caption.

        An encoder that needs fitting, as TF-IDF, is not checked.
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
        """A function that computes features of the captions of some rows.

        An encoder that needs fitting is fitted first.
        """
        captions = [self.samples.captions[i] for i in rows]
        if is_fitted(encoder):
            encoder.fit(self._train_captions())
            return lambda: encoder.transform(captions)
        self.to_device(encoder, device)
        tokens = encoder.tokenize(captions)
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
        share: Share = ALONE,
    ) -> Computed[Features]:
        """The features of each sample's caption number `view`; fits the encoder if it has `fit`."""
        captions = self.samples.caption_view(view)
        count = len(captions)
        if is_fitted(encoder):
            clock = Stopwatch()
            encoder.fit(self._train_captions())
            values = encoder.transform(captions).numpy()
            return _computed(values, clock.elapsed(), encoder)
        warm_up_encoder(self.probe(encoder, self.train[:1], device), precision, device)
        clock = Stopwatch()
        title = "encoding captions" if view == 0 else f"encoding captions, view {view}"
        with progress_bar(title, count) as advance:
            values = encode_captions(
                encoder,
                captions,
                batch_size=settings.batch_size,
                precision=precision,
                device=device,
                advance=advance,
                share=share,
            ).numpy()
        return _computed(values, clock.elapsed(), encoder)

    def training_input(self, encoder: Any, rows: Rows) -> ModalityInput:
        """Captions that are tokenised in batches."""
        return CaptionInput([self.samples.captions_of(i) for i in rows], encoder)

    def _train_captions(self) -> list[str]:
        return [text for row in self.train for text in self.samples.captions_of(row)]


def _computed(values: NDArray[np.float32], seconds: float, encoder: Any) -> Computed[Features]:
    # The description, which is no part of the encoding, imports and hashes: after the clock.
    return Computed(Features(values, describe_encoder(encoder)), seconds, len(values))
