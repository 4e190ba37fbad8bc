"""The pictures of the samples, and what becomes of the images that cannot be read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.config.schema import Config
from mmclf.data.decoded import decode
from mmclf.data.images import Pictures
from mmclf.data.samples import Samples
from mmclf.errors import InputError

LISTED = 5


@dataclass(frozen=True)
class Gallery:
    """The pictures of the samples: row `rows[i]` of `pictures` is that of sample i.

    `skipped`: why a sample was left out, by its id; `seconds`: what decoding cost.
    """

    pictures: Pictures
    rows: NDArray[np.int64]
    skipped: Mapping[str, str]
    seconds: float


def hang(config: Config, samples: Samples) -> tuple[Samples, Gallery]:
    """The samples whose images can be read, and their pictures.

    Raises InputError listing the images that cannot, unless data.on_bad_image=skip.
    """
    if not samples.images:
        raise InputError(
            "vision: this data has no images (data.image_column is null): choose vision=none"
        )
    decoded = decode(
        samples.images,
        size=config.image.size,
        crop=config.image.crop,
        workers=config.encode.workers,
        folder=Path(config.store.dir) / "decoded",
    )
    skipped = {samples.ids[row]: why for row, why in decoded.unreadable.items()}
    if skipped:
        _judge(skipped, len(samples), config.data.on_bad_image)
    rows = np.setdiff1d(np.arange(len(samples)), [*decoded.unreadable])
    kept = samples.take(rows) if skipped else samples
    return kept, Gallery(decoded.pictures, rows, skipped, decoded.seconds)


def _judge(skipped: Mapping[str, str], count: int, on_bad_image: str) -> None:
    reasons = [why.partition(": replace the file")[0] for why in skipped.values()]
    listed = "; ".join(reasons[:LISTED])
    more = f" and {len(skipped) - LISTED} more" if len(skipped) > LISTED else ""
    found = f"{len(skipped)} of {count} images cannot be read: {listed}{more}"
    if on_bad_image == "error" or len(skipped) == count:
        advice = "replace the files, or leave their samples out by data.on_bad_image=skip"
        raise InputError(f"{found}: {advice}")
    sys.stderr.write(f"mmclf: {found}; their samples are left out\n")
