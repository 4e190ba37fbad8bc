"""The decoded and resized images of a data set, stored once as an array on disk."""

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
MAX_QUEUED = 256
ARRAY, UNREADABLE = "pictures.npy", "unreadable.json"
SCRATCH = "scratch-"  # prefix of a folder below the store for an unfinished array


@dataclass(frozen=True)
class DecodedImages:
    """The decoded images of N paths.

    Args:
        stage: the stage that decodes them.
        unreadable: the error message of each image that could not be read, by row.
        timing: what decoding them cost.
        open: opens the array; decodes again if it has been damaged.

    """

    stage: Stage
    unreadable: Mapping[int, str]
    timing: StageTiming
    open: Callable[[], Pictures]

    @cached_property
    def pictures(self) -> Pictures:
        """The images (N, size, size, 3), memory-mapped and verified; 0 where unreadable."""
        return self.open()


def decoding_stage(
    paths: Sequence[Path], *, size: int, crop: float | None, hasher: FileHasher
) -> Stage:
    """The stage that decodes `paths`, identified by the content of the files."""
    digests = [digest if digest is not None else "" for digest in hasher.digests(paths)]
    arguments = {
        "files": texts_digest(digests),
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
    """The images of `paths` in order, read from the store if they were decoded before.

    Files are identified by their content. Those that are missing or unreadable are reported in
    `unreadable`. Raises InputError if the array cannot be written.

    Args:
        paths: of the image files.
        size: of the decoded images in pixels.
        crop: as in `read_image`.
        workers: number of threads; None for one per core.
        store: where the array is kept.

    """
    stage = decoding_stage(paths, size=size, crop=crop, hasher=store.hasher)
    read = partial(_picture_or_reason, size=size, crop=crop)

    def load(*, verify: bool) -> StageResult[_ArrayFile]:
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

    result = load(verify=False)

    def pictures() -> Pictures:
        # An array that was hashed while it was written need not be verified again.
        file = load(verify=result.reused).value.path
        mapped: Pictures = np.load(file, mmap_mode="r", allow_pickle=False)
        return mapped

    return DecodedImages(stage, result.value.unreadable, result.timing, pictures)


def read_unreadable(entry: Entry) -> dict[int, str]:
    """The error messages of the images that could not be decoded, by row."""
    return {int(row): reason for row, reason in json.loads(entry.read(UNREADABLE)).items()}


@dataclass(frozen=True)
class _ArrayFile:
    """The file of an array of images, and the error message of each unreadable one by row."""

    path: Path
    unreadable: Mapping[int, str]


@dataclass(frozen=True)
class _ArraySerializer:
    """Stores an array too large for memory as a file; reads it only to `verify` it."""

    paths: Sequence[Path]
    read_path: Callable[[Path], Pictures | str]
    verify: bool

    def write(self, array: _ArrayFile, folder: Path) -> None:
        """Move the array's file to `folder`."""
        text = json.dumps({str(row): reason for row, reason in array.unreadable.items()})
        (folder / UNREADABLE).write_text(text, encoding="utf-8")
        array.path.replace(folder / ARRAY)
        array.path.parent.rmdir()

    def read(self, entry: Entry) -> _ArrayFile:
        """The array's file in the entry.

        Raises OutdatedError if an image that was unreadable can be read now: a network file system
        may have been unavailable for a while.
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
    """Decode the images into an array in a scratch folder below `folder`."""
    clock = Stopwatch()
    unreadable = {}
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), size, size, 3)}
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=SCRATCH))
    try:
        # Not memory-mapped: a full disk raises an error here, but would kill a process that maps.
        with (scratch / ARRAY).open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            with progress_bar("decoding images", len(paths)) as advance:
                for row, picture in enumerate(_read_in_order(paths, read, workers)):
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


def _read_in_order(
    paths: Sequence[Path], read: Callable[[Path], Pictures | str], workers: int | None
) -> Iterator[Pictures | str]:
    """The image of each path in order, or an error message; decoded ahead by threads."""
    with ThreadPoolExecutor(workers if workers is not None else os.cpu_count()) as pool:
        futures: deque[Future[Pictures | str]] = deque()
        for path in paths:
            futures.append(pool.submit(read, path))
            # Bounded, or decoded images would pile up in memory before they are written.
            if len(futures) == MAX_QUEUED:
                yield futures.popleft().result()
        while futures:
            yield futures.popleft().result()


def _picture_or_reason(path: Path, size: int, crop: float | None) -> Pictures | str:
    try:
        return read_image(path, size, crop)
    except InputError as error:
        return str(error)
