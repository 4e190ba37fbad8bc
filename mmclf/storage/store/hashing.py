"""Digests of plain values and arrays, the same for the same content in every process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTH = 40  # hexadecimal digits; 160 bits


def digest(value: object) -> str:
    """The digest of None, a bool, a number, a string, or of lists and mappings of such values.

    Raises TypeError for anything else, and ValueError for numbers that are not finite: a key must
    not depend on an object's `repr`.
    """
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


def plain(value: object) -> Any:
    """`value` with its sequences as lists and its mappings as dictionaries.

    Raises TypeError for a key that is not a string, which JSON would silently convert.
    """
    if isinstance(value, Mapping):
        bad_keys = [key for key in value if not isinstance(key, str)]
        if bad_keys:
            raise TypeError(f"found the key {bad_keys[0]!r} in a mapping, expected a text")
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def array_digest(array: NDArray[Any]) -> str:
    """The digest of an array's dtype, shape and content; raises TypeError for one of objects."""
    if array.dtype.hasobject:
        raise TypeError(f"found an array of {array.dtype}, expected numbers or texts")
    contiguous = np.asarray(array, order="C")
    dtype = np.lib.format.dtype_to_descr(contiguous.dtype)
    hasher = hashlib.sha256(f"{dtype} {contiguous.shape} ".encode())
    hasher.update(contiguous.data if contiguous.size else b"")
    return hasher.hexdigest()[:LENGTH]


def texts_digest(texts: Iterable[str]) -> str:
    """The digest of a sequence of strings."""
    hasher = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "little"))
        hasher.update(data)
    return hasher.hexdigest()[:LENGTH]
