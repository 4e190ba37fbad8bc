"""The pictures of the samples, and what becomes of the images that cannot be read."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

from mmclf.config.schema import Config
from mmclf.data.decoded_images import DecodedImages, decode
from mmclf.data.samples import Samples
from mmclf.errors import InputError
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.store import Store

LISTED = 5
BAD_IMAGES = "bad_images.csv"


def hang(config: Config, samples: Samples, store: Store, sums: FileHasher) -> DecodedImages:
    """The pictures of the samples.

    Raises InputError for images that cannot be read, unless data.on_bad_image=skip; all of them
    are listed in a file below the output folder.
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
        store=store,
        sums=sums,
    )
    if decoded.unreadable:
        _judge(config, samples, decoded.unreadable)
    return decoded


def write_reasons(path: Path, samples: Samples, unreadable: Mapping[int, str]) -> None:
    """A file of the samples whose images cannot be read, and why: ImageID,reason."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["ImageID", "reason"])
        writer.writerows((samples.ids[row], why) for row, why in unreadable.items())


def _judge(config: Config, samples: Samples, unreadable: Mapping[int, str]) -> None:
    reasons = [why.partition(": replace the file")[0] for why in unreadable.values()]
    listed = "; ".join(reasons[:LISTED])
    more = f" and {len(reasons) - LISTED} more" if len(reasons) > LISTED else ""
    found = f"{len(reasons)} of {len(samples)} images cannot be read: {listed}{more}"
    if config.data.on_bad_image == "skip":
        sys.stderr.write(f"mmclf: {found}; their samples are left out\n")
        return
    path = Path(config.output_dir) / BAD_IMAGES
    path.parent.mkdir(parents=True, exist_ok=True)
    write_reasons(path, samples, unreadable)
    raise InputError(
        f"{found} (all in {path}): replace the files, or leave their samples out by "
        "data.on_bad_image=skip"
    )
