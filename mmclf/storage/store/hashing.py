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
    """The digest of None, a bool, a number, a text, or of lists and mappings of such values.

    Raises TypeError for anything else, and ValueError for numbers that are not finite: a key must
    not depend on how an object happens to print.
    """
    text = json.dumps(plain(value), sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


def plain(value: object) -> Any:
    """`value` in lists and dictionaries alone; a key that is no text is refused, not turned."""
    if isinstance(value, Mapping):
        odd = [key for key in value if not isinstance(key, str)]
        if odd:
            raise TypeError(f"found the key {odd[0]!r} in a mapping, expected a text")
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def array_digest(array: NDArray[Any]) -> str:
    """The digest of an array's type, shape and content; raises TypeError for one of objects."""
    if array.dtype.hasobject:
        raise TypeError(f"found an array of {array.dtype}, expected numbers or texts")
    whole = np.asarray(array, order="C")
    described = np.lib.format.dtype_to_descr(whole.dtype)
    found = hashlib.sha256(f"{described} {whole.shape} ".encode())
    found.update(whole.data if whole.size else b"")
    return found.hexdigest()[:LENGTH]


def texts_digest(texts: Iterable[str]) -> str:
    """The digest of texts in their order."""
    found = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        found.update(len(data).to_bytes(8, "little"))
        found.update(data)
    return found.hexdigest()[:LENGTH]
