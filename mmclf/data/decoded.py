"""All pictures of a data set as one array on disk, decoded and resized once."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock

from mmclf.data.images import Pictures, read_image
from mmclf.errors import InputError
from mmclf.progress import progress_bar

VERSION = 1
CHUNK = 256


@dataclass(frozen=True)
class Decoded:
    """Pictures (N, size, size, 3), memory-mapped; why some rows hold none; what it cost."""

    pictures: Pictures
    unreadable: Mapping[int, str]
    seconds: float


def decode(
    paths: Sequence[Path], *, size: int, crop: float | None, workers: int | None, folder: Path
) -> Decoded:
    """The pictures of `paths` in order, out of `folder` if they were decoded before.

    They are known again by path, length and time of change. `size` in pixels, `crop` as in
    `read_image`; `workers`: threads, None for one per core. A file that is missing or no picture is
    listed by its row, not raised. Raises InputError if the array cannot be written.
    """
    files = [(str(path), *_stamp(path)) for path in paths]
    told = json.dumps([VERSION, size, crop, files]).encode()
    name = hashlib.sha256(told).hexdigest()
    array, facts = folder / f"{name}.npy", folder / f"{name}.json"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        if not _is_stored(array, facts, paths, size, crop):
            started = time.perf_counter()
            try:
                unreadable = _write(array, paths, size, crop, workers)
            except OSError as error:
                array.with_suffix(".partial").unlink(missing_ok=True)
                raise InputError(
                    f"{folder}: the decoded pictures, {len(paths) * size * size * 3 / 1e9:.1f} GB, "
                    f"cannot be written ({error}): free space, or give store.dir=DIR elsewhere"
                ) from error
            seconds = time.perf_counter() - started
            partial_facts = facts.with_suffix(".json.partial")
            partial_facts.write_text(json.dumps({"unreadable": unreadable, "seconds": seconds}))
            partial_facts.replace(facts)
    known = json.loads(facts.read_text())
    return Decoded(
        np.load(array, mmap_mode="r", allow_pickle=False),
        {int(row): why for row, why in known["unreadable"].items()},
        known["seconds"],
    )


def _is_stored(
    array: Path, facts: Path, paths: Sequence[Path], size: int, crop: float | None
) -> bool:
    """Whether the array is there whole, and its unreadable files still cannot be read.

    Some may have been out of reach for a while only, as on a network's disk.
    """
    if not (facts.is_file() and array.is_file()):
        return False
    try:
        np.load(array, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):  # a file that was cut
        return False
    unreadable = json.loads(facts.read_text())["unreadable"]
    again = (_picture_or_reason(paths[int(row)], size, crop) for row in unreadable)
    return all(isinstance(found, str) for found in again)


def _stamp(path: Path) -> tuple[int, int] | tuple[None, None]:
    try:
        found = path.stat()
    except OSError:
        return None, None
    return found.st_size, found.st_mtime_ns


def _write(
    array: Path, paths: Sequence[Path], size: int, crop: float | None, workers: int | None
) -> dict[int, str]:
    """Write the array under another name, then rename it; returns why some rows hold no picture."""
    unreadable = {}
    unfinished = array.with_suffix(".partial")
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), size, size, 3)}
    # Written, not mapped: a full disk is an error here, and would kill a process that maps it.
    with unfinished.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        with progress_bar("decoding images", len(paths)) as advance:
            for row, found in enumerate(_read(paths, size, crop, workers)):
                if isinstance(found, str):
                    unreadable[row] = found
                    stream.write(bytes(size * size * 3))
                else:
                    stream.write(found.tobytes())
                advance(1)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(array)
    return unreadable


def _read(
    paths: Sequence[Path], size: int, crop: float | None, workers: int | None
) -> Iterator[Pictures | str]:
    """The picture of each path in order, or why there is none; decoded ahead by threads."""
    read = partial(_picture_or_reason, size=size, crop=crop)
    with ThreadPoolExecutor(workers if workers is not None else os.cpu_count()) as pool:
        # By chunks, so that pictures do not pile up in memory before they are written.
        for start in range(0, len(paths), CHUNK):
            yield from pool.map(read, paths[start : start + CHUNK])


def _picture_or_reason(path: Path, size: int, crop: float | None) -> Pictures | str:
    try:
        return read_image(path, size, crop)
    except InputError as error:
        return str(error)
