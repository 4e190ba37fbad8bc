"""Arrays as `.npy` files, without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array in NumPy's format.

    Unlike `numpy.save`, raises OSError with `errno` set if the disk is full.
    """
    contiguous = np.asarray(array, order="C")
    header = {
        "descr": np.lib.format.dtype_to_descr(contiguous.dtype),
        "fortran_order": False,
        "shape": contiguous.shape,
    }
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(contiguous.data if contiguous.size else b"")


def load_array(path: Path) -> NDArray[Any]:
    """Read an array; raises ValueError if the file is not an array, or holds objects."""
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    return array
