"""Arrays as files, without pickle; what a file claims is held against its size."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from mmclf.storage.file_limits import ARRAY_BYTES, in_mb

HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
MOST_ARRAYS = 32  # in a file of several
SUFFIX = ".npy"


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
    with path.open("rb") as stream:
        return _read_array(stream, path.stat().st_size)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file of several (`.npz`), by their names.

    Raises OSError if it cannot be opened, and ValueError if it holds anything but arrays, or more
    than `ARRAY_BYTES` and `MOST_ARRAYS` of them.
    """
    with path.open("rb") as stream:
        try:
            return _read_members(stream)
        # Of a damaged file the readers of zip, deflate and headers raise all kinds of errors.
        except Exception as error:
            text = " ".join(str(error).split())
            raise ValueError(f"{type(error).__name__}{f': {text}' if text else ''}") from error


def _read_members(stream: BinaryIO) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(stream) as members:
        infos = members.infolist()
        names = {info.filename.removesuffix(SUFFIX) for info in infos}
        if len(names) < len(infos) or len(infos) > MOST_ARRAYS:
            raise ValueError(f"found {len(infos)} arrays of {len(names)} names")
        unpacked = sum(info.file_size for info in infos)
        if unpacked > ARRAY_BYTES:
            raise ValueError(
                f"it unpacks to {in_mb(unpacked)} MB, expected at most {in_mb(ARRAY_BYTES)}"
            )
        arrays = {}
        for info in infos:
            with members.open(info) as member:
                arrays[info.filename.removesuffix(SUFFIX)] = _read_array(member, info.file_size)
        return arrays


def _read_array(stream: Any, size: int) -> NDArray[Any]:
    """Read an array from a stream of so many bytes; raises ValueError if it is another."""
    version = np.lib.format.read_magic(stream)
    if version not in HEADERS:
        raise ValueError(f"found version {version} of NumPy's format, expected 1.0 or 2.0")
    try:
        shape, is_fortran, dtype = HEADERS[version](stream)
    # It is parsed as Python: errors of syntax, of tokens, of types, of memory.
    except Exception as error:
        raise ValueError(f"found a header that cannot be read ({error})") from error
    left = size - stream.tell()
    # Python's own numbers: those of NumPy would overflow.
    needed = math.prod(map(int, shape)) * dtype.itemsize
    if dtype.hasobject or dtype.itemsize == 0 or min(shape, default=0) < 0 or needed != left:
        raise ValueError(f"found {left} bytes for an array {shape} of {dtype}")
    data = np.empty(needed, np.uint8)
    if stream.readinto(data.data) != needed:
        raise ValueError("it ends too early")
    return data.view(dtype).reshape(shape, order="F" if is_fortran else "C")
