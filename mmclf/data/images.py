"""Image files as uint8 arrays of one size."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mmclf.errors import InputError

Pictures = NDArray[np.uint8]
BATCHES_AHEAD = 3


def read_image(path: Path, size: int) -> Pictures:
    """The picture (size, size, 3), RGB, upright, resized without regard to its proportions.

    Raises InputError if the file cannot be read as an image.
    """
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            resized = upright.resize((size, size), Image.Resampling.BILINEAR)
    # A PNG with a broken chunk raises SyntaxError.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path} cannot be read as an image ({error}): replace the file, or remove its row"
        ) from error
    return np.asarray(resized)


def read_batches(
    paths: Sequence[Path], size: int, batch_size: int, workers: int | None
) -> Iterator[Pictures]:
    """Batches (B, size, size, 3) of the pictures in order, decoded ahead by threads.

    `workers`: threads, None for one per core. Raises InputError at the first unreadable file.
    """
    starts = range(0, len(paths), batch_size)
    pool = ThreadPoolExecutor(workers if workers is not None else os.cpu_count())
    waiting: deque[list[Future[Pictures]]] = deque()
    try:
        for start in starts:
            batch = paths[start : start + batch_size]
            waiting.append([pool.submit(read_image, path, size) for path in batch])
            if len(waiting) == BATCHES_AHEAD:
                yield _finished(waiting.popleft())
        while waiting:
            yield _finished(waiting.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _finished(batch: list[Future[Pictures]]) -> Pictures:
    return np.stack([future.result() for future in batch])
