"""The features of a frozen encoder, and how they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmclf.models.description import EncoderDescription
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry

MIN_DENSE_SHARE = 0.25  # share of nonzero values from which all values are stored


@dataclass(frozen=True)
class Features:
    """The features of a frozen encoder.

    Args:
        values: (N, D), NaN for samples that were not encoded.
        encoder: its description.

    """

    values: NDArray[np.float32]
    encoder: EncoderDescription


def mean_view(views: Sequence[Tensor], counts: NDArray[np.int64]) -> Tensor:
    """The mean (N, D) of the first `counts` (N,) of a sample's views, each (N, D)."""
    given = torch.from_numpy(counts)
    kept = [view * (given > number)[:, None] for number, view in enumerate(views)]
    return torch.stack(kept).sum(dim=0) / given[:, None]


class FeaturesSerializer:
    """Stores features as NumPy arrays, and the encoder's description as JSON.

    Sparse features, as those of TF-IDF, are stored as their nonzero values.
    """

    def write(self, features: Features, folder: Path) -> None:
        """Write features to `folder`."""
        values = features.values
        nonzero = np.flatnonzero(values)
        arrays: dict[str, NDArray[Any]] = {"values": values}
        if len(nonzero) < MIN_DENSE_SHARE * values.size:
            shape = np.asarray(values.shape)
            arrays = {"kept": nonzero, "kept_values": values.reshape(-1)[nonzero], "shape": shape}
        for name, array in arrays.items():
            save_array(folder / f"{name}.npy", array)
        features.encoder.write(folder)

    def read(self, entry: Entry) -> Features:
        """Read features from an entry."""

        def array(name: str) -> NDArray[Any]:
            return load_array(entry.path(f"{name}.npy"))

        if "values.npy" in entry.files:
            values = array("values")
        else:
            values = np.zeros(tuple(array("shape")), dtype=np.float32)
            values.reshape(-1)[array("kept")] = array("kept_values")
        return Features(values, EncoderDescription.read(entry))
