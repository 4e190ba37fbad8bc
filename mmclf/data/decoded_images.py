"""All images of a data set as one array on disk, decoded and resized once."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
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
from mmclf.storage.store.entry import Entry, OutdatedError, Stage, StageTiming
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.hashing import texts_digest
from mmclf.storage.store.store import Computed, StageResult, Store

VERSION = 2
MOST_WAITING = 256
ARRAY, UNREADABLE = "pictures.npy", "unreadable.json"
SCRATCH = "scratch-"  # begins the name of a folder below the store for an array in the making


@dataclass(frozen=True)
class DecodedImages:
    """The pictures of N paths.

    Args:
        stage: what decoding them is.
        unreadable: why some rows hold no picture.
        timing: what decoding them cost.
        open: gives the array; decodes again if it has been damaged.

    """

    stage: Stage
    unreadable: Mapping[int, str]
    timing: StageTiming
    open: Callable[[], Pictures]

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures (N, size, size, 3), memory-mapped; known to be as they were decoded."""
        return self.open()


def decoding_stage(
    paths: Sequence[Path], *, size: int, crop: float | None, hasher: FileHasher
) -> Stage:
    """The stage of decoding `paths`, known by the files' content; nothing is decoded."""
    files = [value if value is not None else "" for value in hasher.digests(paths)]
    arguments = {
        "files": texts_digest(files),
        "size": size,
        "crop": crop,
        "pillow": ".".join(metadata.version("pillow").split(".")[:2]),
    }
    return Stage("pictures", VERSION, arguments)


def decode_images(
    paths: Sequence[Path],
    *,
    size: int,
    crop: float | None,
    workers: int | None,
    store: Store,
) -> DecodedImages:
    """The pictures of `paths` in order, out of the store if they were decoded before.

    They are known again by the files' content. `size` in pixels, `crop` as in `read_image`;
    `workers`: threads, None for one per core. A file that is missing or no picture is listed by its
    row, not raised. Raises InputError if the array cannot be written.
    """
    stage = decoding_stage(paths, size=size, crop=crop, hasher=store.hasher)
    read = partial(_picture_or_reason, size=size, crop=crop)

    def stored(*, verify: bool) -> StageResult[_ArrayFile]:
        try:
            return store.get_or_compute(
                stage,
                _ArraySerializer(paths, read, verify=verify),
                lambda: _decode(paths, read, size=size, workers=workers, folder=store.folder),
                reopen=True,
            )
        except OSError as error:
            raise InputError(
                f"{store.folder}: the decoded pictures, {len(paths) * size * size * 3 / 1e9:.1f} "
                f"GB, cannot be written ({error}): free space, or give store.dir=DIR elsewhere"
            ) from error

    result = stored(verify=False)

    def pictures() -> Pictures:
        # What was hashed as it was written need not be hashed again to be believed.
        file = stored(verify=result.reused).value.path
        mapped: Pictures = np.load(file, mmap_mode="r", allow_pickle=False)
        return mapped

    return DecodedImages(stage, result.value.unreadable, result.timing, pictures)


def read_unreadable(entry: Entry) -> dict[int, str]:
    """Why some rows of decoded pictures hold none."""
    return {int(row): why for row, why in json.loads(entry.read(UNREADABLE)).items()}


@dataclass(frozen=True)
class _ArrayFile:
    """The file of an array of pictures, and why some of its rows hold none."""

    path: Path
    unreadable: Mapping[int, str]


@dataclass(frozen=True)
class _ArraySerializer:
    """The array in the store, a file too large for memory; read whole only to `verify` it."""

    paths: Sequence[Path]
    read_path: Callable[[Path], Pictures | str]
    verify: bool

    def write(self, array: _ArrayFile, folder: Path) -> None:
        """Move it to `folder`."""
        text = json.dumps({str(row): why for row, why in array.unreadable.items()})
        (folder / UNREADABLE).write_text(text, encoding="utf-8")
        array.path.replace(folder / ARRAY)
        array.path.parent.rmdir()

    def read(self, entry: Entry) -> _ArrayFile:
        """Where it lies; raises OutdatedError if a file that could not be read now can be.

        It may have been out of reach for a while only, as on a network's disk.
        """
        unreadable = read_unreadable(entry)
        if any(not isinstance(self.read_path(self.paths[row]), str) for row in unreadable):
            raise OutdatedError(f"{entry.folder}: an image that could not be read can be read now")
        path = entry.path(ARRAY) if self.verify else entry.folder / ARRAY
        if ARRAY not in entry.files:
            raise OutdatedError(f"{entry.folder} holds no array of pictures")
        return _ArrayFile(path, unreadable)


def _decode(
    paths: Sequence[Path],
    read: Callable[[Path], Pictures | str],
    *,
    size: int,
    workers: int | None,
    folder: Path,
) -> Computed[_ArrayFile]:
    """Write the array to a scratch folder below `folder`."""
    clock = Stopwatch()
    unreadable = {}
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), size, size, 3)}
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=SCRATCH))
    try:
        # Written, not mapped: a full disk is an error here, and would kill a process that maps it.
        with (scratch / ARRAY).open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            with progress_bar("decoding images", len(paths)) as advance:
                for row, picture in enumerate(_read_ahead(paths, read, workers)):
                    if isinstance(picture, str):
                        unreadable[row] = picture
                        stream.write(bytes(size * size * 3))
                    else:
                        stream.write(picture.data)
                    advance(1)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    return Computed(_ArrayFile(scratch / ARRAY, unreadable), clock.elapsed(), len(paths))


def _read_ahead(
    paths: Sequence[Path], read: Callable[[Path], Pictures | str], workers: int | None
) -> Iterator[Pictures | str]:
    """The picture of each path in order, or why there is none; decoded ahead by threads."""
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
