"""The interface of encoding a modality, by frozen encoders and for training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmclf.config.schema import Encode
from mmclf.storage.store.stage_result import Computed
from mmclf.training.batches import ModalityInput
from mmclf.training.features import Features
from mmclf.training.precision import Precision
from mmclf.training.share import ALONE, Share

Rows = NDArray[np.int64]


class ModalityEncoding(Protocol):
    """Encodes one modality of all N samples of a run, or prepares it for training."""

    def encoder_arguments(self) -> dict[str, Any]:
        """Arguments for the encoder's constructor besides its settings, used if it names them."""

    def check(self, encoder: Any) -> None:
        """Raise InputError unless the encoder computes features of a sample."""

    def to_device(self, encoder: nn.Module, device: torch.device) -> None:
        """Move an encoder to the device, in the memory layout that suits it."""

    def probe(self, encoder: Any, rows: Rows, device: torch.device) -> Callable[[], Tensor]:
        """A function that computes features (B, D) of some rows, to measure precisions."""

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
        """The features (N, D) of one view of all samples; view 0 is not augmented.

        Of several processes each encodes its share; what the others encode is NaN.
        """

    def training_input(self, encoder: Any, rows: Rows) -> ModalityInput:
        """The inputs of some rows for an encoder that is trained."""
