"""The features of the three parts of the data, of one modality at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf import hardware, precision
from mmclf.config.schema import Augment, Encode
from mmclf.data.images import Pictures
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.data.views import make_views
from mmclf.encode import encode_captions, encode_images, standardise
from mmclf.progress import progress_bar
from mmclf.timing import Stopwatch

PROBED = 8


@dataclass(frozen=True)
class Encoded:
    """Features (N, V, D) by part, from `count` images, views or captions in `seconds`."""

    features: Mapping[str, Tensor]
    count: int
    seconds: float
    precision: str


@dataclass(frozen=True)
class EncoderPlace:
    """Where a frozen encoder runs: its name, the device, the folder that remembers precisions."""

    name: str
    device: torch.device
    memory: Path

    def resolve(self, wanted: Any, forward: Callable[[], Tensor]) -> precision.Precision:
        """The precision for `wanted`; `forward` computes features of a small batch."""
        return precision.resolve(
            wanted,
            forward,
            encoder=self.name,
            hardware=hardware.describe(self.device),
            device=self.device,
            memory=self.memory,
        )


def encode_vision(
    encoder: Any,
    pictures: Pictures,
    rows: Mapping[str, NDArray[np.int64]],
    *,
    views: Mapping[str, int],
    augment: Augment,
    settings: Encode,
    place: EncoderPlace,
) -> Encoded:
    """Features of the `rows` of each part, of as many `views` as are given for it."""
    encoder.to(device=place.device, memory_format=torch.channels_last)
    probe = torch.from_numpy(pictures[rows["train"][:PROBED]]).to(place.device)
    chosen = place.resolve(settings.precision, lambda: encoder(standardise(encoder, probe)))
    count = sum(views[name] * len(some) for name, some in rows.items())
    make_view = partial(
        make_views,
        padding=augment.padding,
        horizontal_flip=augment.horizontal_flip,
        vertical_flip=augment.vertical_flip,
        seed=augment.seed,
    )
    clock = Stopwatch()
    with progress_bar("encoding images", count) as advance:
        features = {
            name: encode_images(
                encoder,
                pictures,
                some,
                views=views[name],
                make_view=make_view,
                batch_size=settings.batch_size,
                precision=chosen,
                device=place.device,
                advance=advance,
            )
            for name, some in rows.items()
        }
    return Encoded(features, count, clock.elapsed(), chosen)


def encode_text(
    encoder: Any, samples: Samples, parts: Parts, *, settings: Encode, place: EncoderPlace
) -> Encoded:
    """Features of the captions; one with `fit`, as TF-IDF, is fitted on those of training."""
    captions = {name: [samples.captions[i] for i in rows] for name, rows in parts.items()}
    count = sum(map(len, captions.values()))
    if hasattr(encoder, "fit"):
        clock = Stopwatch()
        encoder.fit(captions["train"])
        sparse = {name: encoder.transform(some).unsqueeze(1) for name, some in captions.items()}
        return Encoded(sparse, count, clock.elapsed(), "fp32")
    encoder.to(place.device)
    tokens = encoder.tokenize(captions["train"][:PROBED])
    probe = {name: value.to(place.device) for name, value in tokens.items()}
    chosen = place.resolve(settings.precision, lambda: encoder(probe))
    clock = Stopwatch()
    with progress_bar("encoding captions", count) as advance:
        features = {
            name: encode_captions(
                encoder,
                some,
                batch_size=settings.batch_size,
                precision=chosen,
                device=place.device,
                advance=advance,
            )
            for name, some in captions.items()
        }
    return Encoded(features, count, clock.elapsed(), chosen)
