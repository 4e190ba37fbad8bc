"""Arrays as files of NumPy, without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array; raises OSError with the system's own number where the disk is full.

    Not by `numpy.save`, whose error there has none.
    """
    whole = np.asarray(array, order="C")
    header = {
        "descr": np.lib.format.dtype_to_descr(whole.dtype),
        "fortran_order": False,
        "shape": whole.shape,
    }
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(whole.data if whole.size else b"")


def load_array(path: Path) -> NDArray[Any]:
    """Read an array back; raises ValueError if it is none, or holds objects."""
    found: NDArray[Any] = np.load(path, allow_pickle=False)
    return found
