"""A trial of the encoders on one sample: what cannot work is refused before a run starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mmclf.errors import InputError


@torch.inference_mode()
def encoders_fit(encoders: Mapping[str, Any], size: int) -> None:
    """Raise InputError unless each encoder makes features (1, out_dim) of one sample.

    `size`: of a picture, in pixels. An encoder that is fitted first, as TF-IDF, is not tried.
    """
    for modality, encoder in encoders.items():
        if hasattr(encoder, "fit"):
            continue
        try:
            if modality == "vision":
                features = encoder(torch.zeros(1, 3, size, size))
            else:
                features = encoder(encoder.tokenize(["a caption"]))
        except (AssertionError, IndexError, RuntimeError, ValueError) as error:
            first = (str(error).splitlines() or [""])[0]
            what = f"a picture of image.size={size}" if modality == "vision" else "a caption"
            raise InputError(
                f"{modality}: the encoder cannot take {what} ({type(error).__name__}: {first}): "
                "change its settings, or choose another level"
            ) from error
        if tuple(features.shape) != (1, encoder.out_dim):
            raise InputError(
                f"{modality}: the encoder makes {tuple(features.shape)} of one sample, expected "
                f"(1, {encoder.out_dim}), as its out_dim says"
            )
