"""The decoded and resized images of a data set, stored once as an array on disk."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import metadata
from pathlib import Path

import numpy as np

from mmclf.data.image_locations import ImageLocation, image_digests
from mmclf.data.images import DecodedImage, ImageBytes, Pictures, decode_image
from mmclf.data.parquet_images import with_bytes
from mmclf.errors import InputError
from mmclf.progress import progress_bar
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.entry import DamagedError, Entry, OutdatedError, Stage, StageTiming
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.hashing import texts_digest
from mmclf.storage.store.stage_result import Computed, StageResult
from mmclf.storage.store.store import Store

VERSION = 3
MAX_QUEUED = 256
MAX_QUEUED_BYTES = 2**28  # of images that were read out of a file and wait to be decoded
ARRAY, UNREADABLE, STRETCHED = "pictures.npy", "unreadable.json", "stretched.json"
SCRATCH = "scratch-"  # prefix of a folder below the store for an unfinished array
ReadImage = Callable[[Path | ImageBytes], DecodedImage | str]


@dataclass(frozen=True)
class DecodedImages:
    """The decoded images of N samples.

    Args:
        stage: the stage that decodes them.
        unreadable: the error message of each image that could not be read, by row.
        timing: what decoding them cost.
        open: opens the array; decodes again if it has been damaged.
        stretched: the bits in use of each grey image of 16 bits that uses fewer, by row.
        reused: whether they had been decoded before.

    """

    stage: Stage
    unreadable: Mapping[int, str]
    timing: StageTiming
    open: Callable[[], Pictures]
    stretched: Mapping[int, int] = field(default_factory=dict)
    reused: bool = True

    @cached_property
    def pictures(self) -> Pictures:
        """The images (N, size, size, 3), memory-mapped and verified; 0 where unreadable."""
        return self.open()

    @property
    def notes(self) -> tuple[str, ...]:
        """For people: what was taken otherwise than it is written."""
        if not self.stretched:
            return ()
        counts = sorted(Counter(self.stretched.values()).items())
        listed = ", ".join(f"{count} of {bits} bits" for bits, count in counts)
        return (
            f"{len(self.stretched)} grey images of 16 bits use fewer ({listed}): they are "
            "stretched by the bits in use",
        )


def decoding_stage(
    images: Sequence[ImageLocation], *, size: int, crop: float | None, hasher: FileHasher
) -> Stage:
    """The stage that decodes `images`, identified by the content of the files."""
    digests = [d if d is not None else "" for d in image_digests(images, hasher)]
    arguments = {
        "files": texts_digest(digests),
        "size": size,
        "crop": crop,
        "pillow": ".".join(metadata.version("pillow").split(".")[:2]),
    }
    return Stage("pictures", VERSION, arguments)


def decode_images(
    images: Sequence[ImageLocation],
    *,
    size: int,
    crop: float | None,
    workers: int | None,
    store: Store,
) -> DecodedImages:
    """The `images` in order, read from the store if they were decoded before.

    Files are identified by their content. Images that are missing or unreadable are reported in
    `unreadable`. Raises InputError if the array cannot be written, or a Parquet file not be read.

    Args:
        images: paths of image files, or cells that hold them.
        size: of the decoded images in pixels.
        crop: as in `read_image`.
        workers: number of threads; None for one per core.
        store: where the array is kept.

    """
    stage = decoding_stage(images, size=size, crop=crop, hasher=store.hasher)
    read = partial(_image_or_reason, size=size, crop=crop)

    def load(*, verify: bool) -> StageResult[_ArrayFile]:
        try:
            return store.get_or_compute(
                stage,
                _ArraySerializer(images, read, size, verify=verify),
                lambda: _decode(images, read, size=size, workers=workers, folder=store.folder),
                reopen=True,
            )
        except OSError as error:
            raise InputError(
                f"{store.folder}: the decoded pictures, {len(images) * size * size * 3 / 1e9:.1f} "
                f"GB, cannot be written ({error}): free space, or give store.dir=DIR elsewhere"
            ) from error

    result = load(verify=False)

    def pictures() -> Pictures:
        # An array that was hashed while it was written need not be verified again.
        file = load(verify=result.reused).value.path
        mapped: Pictures = np.load(file, mmap_mode="r", allow_pickle=False)
        return mapped

    value = result.value
    return DecodedImages(
        stage, value.unreadable, result.timing, pictures, value.stretched, result.reused
    )


def read_unreadable(entry: Entry) -> dict[int, str]:
    """The error messages of the images that could not be decoded, by row."""
    return {int(row): reason for row, reason in json.loads(entry.read(UNREADABLE)).items()}


def read_stretched(entry: Entry) -> dict[int, int]:
    """The bits in use of the grey images that were stretched, by row."""
    return {int(row): int(bits) for row, bits in json.loads(entry.read(STRETCHED)).items()}


@dataclass(frozen=True)
class _ArrayFile:
    """The file of an array of images; by row the unreadable and the stretched ones."""

    path: Path
    unreadable: Mapping[int, str]
    stretched: Mapping[int, int]


@dataclass(frozen=True)
class _ArraySerializer:
    """Stores an array too large for memory as a file; reads it only to `verify` it."""

    images: Sequence[ImageLocation]
    read_image: ReadImage
    size: int
    verify: bool

    def write(self, array: _ArrayFile, folder: Path) -> None:
        """Move the array's file to `folder`."""
        for name, by_row in ((UNREADABLE, array.unreadable), (STRETCHED, array.stretched)):
            text = json.dumps({str(row): value for row, value in by_row.items()})
            (folder / name).write_text(text, encoding="utf-8")
        array.path.replace(folder / ARRAY)
        array.path.parent.rmdir()

    def read(self, entry: Entry) -> _ArrayFile:
        """The array's file in the entry.

        Raises OutdatedError if an image that was unreadable can be read now: a network file system
        may have been unavailable for a while. A cell stays as it is while its file does.
        """
        unreadable = read_unreadable(entry)
        if not all(0 <= row < len(self.images) for row in unreadable):
            raise DamagedError(f"{entry.folder} holds rows that there are not")
        images = [self.images[row] for row in unreadable]
        paths = [image for image in images if isinstance(image, Path)]
        if any(not isinstance(self.read_image(path), str) for path in paths):
            raise OutdatedError(f"{entry.folder}: an image that could not be read can be read now")
        path = entry.path(ARRAY) if self.verify else entry.unverified_path(ARRAY)
        expected = (len(self.images), self.size, self.size, 3)
        held = np.load(path, mmap_mode="r", allow_pickle=False)
        if held.shape != expected or held.dtype != np.uint8:
            raise DamagedError(f"{path} holds {held.dtype} {held.shape}, expected {expected}")
        return _ArrayFile(path, unreadable, read_stretched(entry))


def _decode(
    images: Sequence[ImageLocation],
    read: ReadImage,
    *,
    size: int,
    workers: int | None,
    folder: Path,
) -> Computed[_ArrayFile]:
    """Decode the images into an array in a scratch folder below `folder`."""
    clock = Stopwatch()
    unreadable, stretched = {}, {}
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(images), size, size, 3)}
    scratch = Path(tempfile.mkdtemp(dir=folder, prefix=SCRATCH))
    try:
        # Not memory-mapped: a full disk raises an error here, but would kill a process that maps.
        with (scratch / ARRAY).open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
            with progress_bar("decoding images", len(images)) as advance:
                for row, image in enumerate(_read_in_order(images, read, workers)):
                    if isinstance(image, str):
                        unreadable[row] = image
                        stream.write(bytes(size * size * 3))
                    else:
                        stream.write(image.pixels.data)
                        if image.stretched_bits is not None:
                            stretched[row] = image.stretched_bits
                    advance(1)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    file = _ArrayFile(scratch / ARRAY, unreadable, stretched)
    return Computed(file, clock.elapsed(), len(images))


def _read_in_order(
    images: Sequence[ImageLocation], read: ReadImage, workers: int | None
) -> Iterator[DecodedImage | str]:
    """Each image in order, or an error message; decoded ahead by threads."""
    with ThreadPoolExecutor(workers if workers is not None else os.cpu_count()) as pool:
        futures: deque[tuple[Future[DecodedImage | str], int]] = deque()
        queued_bytes = 0
        for image in with_bytes(images):
            size = len(image.content or b"") if isinstance(image, ImageBytes) else 0
            futures.append((pool.submit(read, image), size))
            queued_bytes += size
            # Bounded, or images would pile up in memory before they are decoded and written.
            while len(futures) == MAX_QUEUED or queued_bytes > MAX_QUEUED_BYTES:
                future, size = futures.popleft()
                queued_bytes -= size
                yield future.result()
        while futures:
            yield futures.popleft()[0].result()


def _image_or_reason(image: Path | ImageBytes, size: int, crop: float | None) -> DecodedImage | str:
    try:
        return decode_image(image, size, crop)
    except InputError as error:
        return str(error)
