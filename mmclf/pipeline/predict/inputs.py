"""Conversion of images and captions as users pass them to `predict`."""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmclf.data.image_locations import ParquetCell
from mmclf.data.images import ImageBytes, Pictures, read_image
from mmclf.data.parquet_images import with_bytes
from mmclf.errors import InputError

ImageLike = str | os.PathLike[str] | ParquetCell | ImageBytes | Image.Image | NDArray[np.uint8]
ImagesLike = ImageLike | Sequence[ImageLike | None] | NDArray[np.uint8] | None
CaptionLike = str | Sequence[str]  # several captions of one sample
CaptionsLike = str | Sequence[CaptionLike | None] | None

LISTED = 5
MAX_WAITING = 64  # decoded images that no batch has taken yet
PATHS = (str, os.PathLike)
# Modes that PNG stores unchanged, or refuses: `convert` would clip more than 8 bits.
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16", "F")


@dataclass(frozen=True)
class PredictionInputs:
    """N images and the captions of N samples, None where one is missing."""

    images: Sequence[ImageLike | None]
    captions: Sequence[CaptionLike | None]

    def __len__(self) -> int:
        """The number of samples N."""
        return len(self.captions)

    def captions_of(self, row: int) -> Sequence[str]:
        """All captions of a sample; one that is empty if it has none."""
        caption = self.captions[row]
        if caption is None:
            return ("",)
        return (caption,) if isinstance(caption, str) else caption

    def take(self, rows: NDArray[np.int64]) -> PredictionInputs:
        """The samples at these rows."""
        return PredictionInputs([self.images[i] for i in rows], [self.captions[i] for i in rows])


def _check_kind(name: str, given: object) -> None:
    """Raise InputError for what can be no samples at all, such as a number."""
    single = (*PATHS, ParquetCell, Image.Image)
    if given is not None and not isinstance(given, (Iterable, *single)):
        raise InputError(f"{name}: found {given!r}, expected a sequence, a single one, or None")


def parse_inputs(images: ImagesLike, captions: CaptionsLike) -> PredictionInputs:
    """Images and captions as sequences of equal length; raises InputError for invalid ones."""
    _check_kind("images", images)
    _check_kind("captions", captions)
    pictures: Sequence[ImageLike | None] | None
    if (
        isinstance(images, (*PATHS, ParquetCell, ImageBytes, Image.Image))
        or getattr(images, "ndim", None) == 3
    ):
        pictures = [images]  # type: ignore[list-item]
    else:
        pictures = list(images) if images is not None else None
    texts: Sequence[CaptionLike | None] | None
    texts = [captions] if isinstance(captions, str) else captions
    texts = list(texts) if texts is not None else None
    if pictures is None and texts is None:
        raise InputError("found neither images nor captions, expected at least one of them")
    if pictures is None or texts is None:
        count = len(texts if texts is not None else pictures or ())
        pictures = pictures if pictures is not None else [None] * count
        texts = texts if texts is not None else [None] * count
    if len(pictures) != len(texts):
        raise InputError(
            f"found {len(pictures)} images and {len(texts)} captions, expected as many of both: "
            "None stands for one that is missing"
        )
    for row, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        _check_sample(row, picture, text)
    return PredictionInputs(pictures, texts)


def _check_sample(row: int, picture: object, text: object) -> None:
    is_several = isinstance(text, list | tuple) and len(text) > 0
    texts = [*text] if isinstance(text, list | tuple) and is_several else [text]
    if not all(isinstance(item, str) or (item is None and not is_several) for item in texts):
        raise InputError(f"captions[{row}] is {text!r}, expected a str, several, or None")
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise InputError(
                f"images[{row}] is an array {picture.shape} of {picture.dtype}, expected "
                "(H, W, 3) of uint8"
            )
    elif not isinstance(picture, (*PATHS, ParquetCell, ImageBytes, Image.Image, type(None))):
        raise InputError(
            f"images[{row}] is a {type(picture).__name__}, expected a path, a PIL image, an array "
            "(H, W, 3) of uint8, or None"
        )


def decoded(
    images: Sequence[ImageLike | None], *, size: int, crop: float | None
) -> Iterator[Pictures | None]:
    """Each image as an array (size, size, 3), decoded as files are; None for a missing one.

    Threads decode a few ahead. Raises InputError that lists all images that cannot be read, when
    the first of them is reached.

    Args:
        images: None for a missing one.
        size: of the decoded images in pixels.
        crop: as in `read_image`.

    """
    results = _read_in_order(images, size, crop)
    for result in results:
        if isinstance(result, str):
            reasons = [result, *(each for each in results if isinstance(each, str))]
            more = f" and {len(reasons) - LISTED} more" if len(reasons) > LISTED else ""
            raise InputError(
                f"{len(reasons)} of {len(images)} images cannot be read: "
                f"{'; '.join(reasons[:LISTED])}{more}: replace them; nothing was predicted"
            )
        yield result


def _read_in_order(
    images: Sequence[ImageLike | None], size: int, crop: float | None
) -> Iterator[Pictures | str | None]:
    """Each image in order, or the reason why it cannot be read."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:

        def read(file: Path | ImageBytes) -> Pictures | str:
            try:
                return read_image(file, size, crop)
            except InputError as error:
                reason = str(error).partition(": replace the file")[0]
                return reason.replace(f"{folder}{os.sep}", "")
            finally:
                if isinstance(file, Path) and file.parent == Path(folder):
                    file.unlink()

        waiting: deque[Future[Pictures | str] | None] = deque()
        for row, image in enumerate(with_bytes(images)):
            file = None if image is None else _as_file(image, Path(folder, f"images[{row}].png"))
            waiting.append(None if file is None else pool.submit(read, file))
            if len(waiting) > MAX_WAITING:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())


def _result(future: Future[Pictures | str] | None) -> Pictures | str | None:
    return None if future is None else future.result()


def _as_file(image: ImageLike, file: Path) -> Path | ImageBytes:
    """The image's own path or content, or `file` after writing the image to it."""
    if isinstance(image, ImageBytes):
        return image
    if isinstance(image, PATHS):
        return Path(image)
    picture = image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image))
    try:
        if picture.mode not in PNG_MODES:
            picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        picture.save(file, exif=picture.getexif(), compress_level=1)
    # The image may be read from its own file only now, and decoders raise all kinds of errors.
    except Exception as error:
        raise InputError(
            f"{file.stem} cannot be used ({type(error).__name__}: {error}): give it as RGB"
        ) from error
    return file
