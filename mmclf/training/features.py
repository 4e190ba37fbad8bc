"""The features of a frozen encoder, and how they are kept in the store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.models.description import EncoderDescription
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry

DENSE = 0.25  # share of values that are not 0 from which on they are stored one by one


@dataclass(frozen=True)
class Features:
    """Features (N, D) of N samples, NaN for those that were left out, and what made them."""

    values: NDArray[np.float32]
    encoder: EncoderDescription


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
        return Features(values, EncoderDescription.read(entry))
