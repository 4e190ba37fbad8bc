"""The features of a frozen encoder: all samples of one modality and view, and how they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmclf.config.schema import Augment, Encode
from mmclf.data.augment import augment_view
from mmclf.data.images import Pictures
from mmclf.models.description import Description, describe_encoder
from mmclf.progress import progress_bar
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry
from mmclf.storage.store.store import Computed
from mmclf.training.encode import encode_captions, encode_images
from mmclf.training.precision import Precision

Floats = NDArray[np.float32]
DENSE = 0.25  # share of values that are not 0 from which on they are stored one by one


@dataclass(frozen=True)
class Features:
    """Features (N, D) of N samples, NaN for those that were left out, and what made them."""

    values: Floats
    encoder: Description


class FeaturesSerializer:
    """Features in the store: arrays of NumPy, and what the encoder is as JSON.

    Where most values are 0, as TF-IDF's are, the others alone are kept.
    """

    def write(self, features: Features, folder: Path) -> None:
        """Write them to `folder`."""
        values = features.values
        kept = np.flatnonzero(values)
        arrays: dict[str, NDArray[Any]] = {"values": values}
        if len(kept) < DENSE * values.size:
            shape = np.asarray(values.shape)
            arrays = {"kept": kept, "kept_values": values.reshape(-1)[kept], "shape": shape}
        for name, array in arrays.items():
            save_array(folder / f"{name}.npy", array)
        features.encoder.write(folder)

    def read(self, entry: Entry) -> Features:
        """Read them back."""

        def array(name: str) -> NDArray[Any]:
            return load_array(entry.path(f"{name}.npy"))

        if "values.npy" in entry.files:
            values = array("values")
        else:
            values = np.zeros(tuple(array("shape")), dtype=np.float32)
            values.reshape(-1)[array("kept")] = array("kept_values")
        return Features(values, Description.read(entry))


def encode_view(
    encoder: Any,
    pictures: Pictures,
    rows: NDArray[np.int64],
    *,
    view: int,
    augment: Augment,
    settings: Encode,
    precision: Precision,
    device: torch.device,
) -> Computed[Features]:
    """The features of one view of `rows` of the pictures (N, H, W, 3)."""
    encoder.to(device=device, memory_format=torch.channels_last)
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
        found = encode_images(
            encoder,
            pictures,
            rows,
            make_view=make_view,
            batch_size=settings.batch_size,
            precision=precision,
            device=device,
            advance=advance,
        )
    values = np.full((len(pictures), found.shape[1]), np.nan, dtype=np.float32)
    values[rows] = found.numpy()
    return Computed(Features(values, describe_encoder(encoder)), clock.elapsed(), len(rows))


def encode_text(
    encoder: Any,
    captions: Sequence[str],
    train: NDArray[np.int64],
    *,
    settings: Encode,
    precision: Precision,
    device: torch.device,
) -> Computed[Features]:
    """The features of the captions; an encoder with `fit`, as TF-IDF, learns from some of them."""
    if hasattr(encoder, "fit"):
        clock = Stopwatch()
        encoder.fit([captions[i] for i in train])
        values = encoder.transform(captions).numpy()
        return Computed(Features(values, describe_encoder(encoder)), clock.elapsed(), len(captions))
    encoder.to(device)
    clock = Stopwatch()
    with progress_bar("encoding captions", len(captions)) as advance:
        values = encode_captions(
            encoder,
            captions,
            batch_size=settings.batch_size,
            precision=precision,
            device=device,
            advance=advance,
        ).numpy()
    return Computed(Features(values, describe_encoder(encoder)), clock.elapsed(), len(captions))
