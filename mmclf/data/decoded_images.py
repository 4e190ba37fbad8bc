"""All pictures of a data set as one array on disk, decoded and resized once."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import metadata
from pathlib import Path

import numpy as np

from mmclf.data.images import Pictures, read_image
from mmclf.errors import InputError
from mmclf.progress import progress_bar
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.entry import Entry, Stage, StageTiming
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.hashing import texts_digest
from mmclf.storage.store.store import Store

VERSION = 2
MOST_WAITING = 256
ARRAY, UNREADABLE = "pictures.npy", "unreadable.json"


@dataclass(frozen=True)
class DecodedImages:
    """The pictures of N paths; why some rows hold none; what decoding cost."""

    stage: Stage
    unreadable: Mapping[int, str]
    timing: StageTiming
    open: Callable[[], Pictures]

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures (N, size, size, 3), memory-mapped; known to be as they were decoded."""
        return self.open()


def pictures_stage(
    paths: Sequence[Path], *, size: int, crop: float | None, sums: FileHasher
) -> Stage:
    """The stage of decoding `paths`, known by the files' content; nothing is decoded."""
    files = [value if value is not None else "" for value in sums.of(paths)]
    arguments = {
        "files": texts_digest(files),
        "size": size,
        "crop": crop,
        "pillow": ".".join(metadata.version("pillow").split(".")[:2]),
    }
    return Stage("pictures", VERSION, arguments)


def decode(
    paths: Sequence[Path],
    *,
    size: int,
    crop: float | None,
    workers: int | None,
    store: Store,
    sums: FileHasher,
) -> DecodedImages:
    """The pictures of `paths` in order, out of the store if they were decoded before.

    They are known again by the files' content. `size` in pixels, `crop` as in `read_image`;
    `workers`: threads, None for one per core. A file that is missing or no picture is listed by its
    row, not raised. Raises InputError if the array cannot be written.
    """
    stage = pictures_stage(paths, size=size, crop=crop, sums=sums)
    just_made: list[Path] = []

    def fill(folder: Path) -> float:
        just_made.append(folder)
        return _fill(folder, paths=paths, size=size, crop=crop, workers=workers)

    def entry(is_sound: Callable[[Entry], bool]) -> Entry:
        try:
            return store.entry(stage, len(paths), fill, is_sound)
        except OSError as error:
            raise InputError(
                f"{store.folder}: the decoded pictures, {len(paths) * size * size * 3 / 1e9:.1f} "
                f"GB, cannot be written ({error}): free space, or give store.dir=DIR elsewhere"
            ) from error

    def pictures() -> Pictures:
        # What was summed as it was written need not be summed again to be believed.
        sound = entry(lambda found: bool(just_made) or found.path(ARRAY).is_file())
        mapped: Pictures = np.load(sound.folder / ARRAY, mmap_mode="r", allow_pickle=False)
        return mapped

    found = entry(lambda found: _is_up_to_date(found, paths, size, crop))
    return DecodedImages(stage, read_unreadable(found), found.timing, pictures)


def read_unreadable(entry: Entry) -> dict[int, str]:
    """Why some rows of decoded pictures hold none."""
    return {int(row): why for row, why in json.loads(entry.read(UNREADABLE)).items()}


def _is_up_to_date(entry: Entry, paths: Sequence[Path], size: int, crop: float | None) -> bool:
    """Whether what could not be read still cannot be.

    Some may have been out of reach for a while only, as on a network's disk.
    """
    again = (_picture_or_reason(paths[row], size, crop) for row in read_unreadable(entry))
    return ARRAY in entry.files and all(isinstance(found, str) for found in again)


def _fill(
    folder: Path, *, paths: Sequence[Path], size: int, crop: float | None, workers: int | None
) -> float:
    """Write the array, and why some rows hold no picture; returns the seconds that it took."""
    clock = Stopwatch()
    unreadable = {}
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), size, size, 3)}
    # Written, not mapped: a full disk is an error here, and would kill a process that maps it.
    with (folder / ARRAY).open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        with progress_bar("decoding images", len(paths)) as advance:
            for row, found in enumerate(_read(paths, size, crop, workers)):
                if isinstance(found, str):
                    unreadable[row] = found
                    stream.write(bytes(size * size * 3))
                else:
                    stream.write(found.data)
                advance(1)
    (folder / UNREADABLE).write_text(json.dumps(unreadable), encoding="utf-8")
    return clock.elapsed()


def _read(
    paths: Sequence[Path], size: int, crop: float | None, workers: int | None
) -> Iterator[Pictures | str]:
    """The picture of each path in order, or why there is none; decoded ahead by threads."""
    read = partial(_picture_or_reason, size=size, crop=crop)
    with ThreadPoolExecutor(workers if workers is not None else os.cpu_count()) as pool:
        waiting: deque[Future[Pictures | str]] = deque()
        for path in paths:
            waiting.append(pool.submit(read, path))
            # So many at the most, or pictures would pile up in memory before they are written.
            if len(waiting) == MOST_WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _picture_or_reason(path: Path, size: int, crop: float | None) -> Pictures | str:
    try:
        return read_image(path, size, crop)
    except InputError as error:
        return str(error)
