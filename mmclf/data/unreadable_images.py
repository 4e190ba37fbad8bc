"""Handling of unreadable images: the run stops, or skips their samples."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from mmclf.data.image_locations import ImageLocation
from mmclf.data.missing_files import likely_files
from mmclf.data.problems import LISTED
from mmclf.data.samples import Samples
from mmclf.errors import InputError, printable, spreadsheet_text, tell
from mmclf.storage.store.atomic_write import write_atomic

BAD_IMAGES = "bad_images.csv"


def check_readable(
    samples: Samples,
    unreadable: Mapping[int, str],
    *,
    on_bad_image: Literal["error", "skip"],
    output_dir: Path,
) -> None:
    """Raise InputError for images that cannot be read, unless `on_bad_image` is `skip`.

    The error lists them in a file in `output_dir`; skipped ones are counted on standard error.

    Args:
        samples: all samples of the source.
        unreadable: the error message of each image that could not be read, by row.
        on_bad_image: what to do about them.
        output_dir: for the list.

    """
    if not unreadable:
        return
    reasons = [reason.partition(": replace the file")[0] for reason in unreadable.values()]
    rest = f" and {len(reasons) - LISTED} more" if len(reasons) > LISTED else ""
    images = [samples.images[row] for row in list(unreadable)[:LISTED]]
    likely = likely_files(images)
    lines = [
        f"{reason}, but there is {other.name}" if other is not None else reason
        for reason, other in zip(reasons[:LISTED], likely, strict=True)
    ]
    summary = (
        f"{len(reasons)} of {len(samples)} images cannot be read: {'; '.join(lines)}{rest}"
        f"{_suffix_advice(images, likely)}"
    )
    if on_bad_image == "skip":
        tell(f"{summary}; their samples are left out")
        return
    path = output_dir / BAD_IMAGES
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_reasons(path, samples, unreadable)
        where = f"all in {path}"
    except OSError as error:
        where = f"their list cannot be written to {path}: {error.strerror or error}"
    raise InputError(
        f"{summary} ({where}): replace the files, or leave their samples out by "
        "data.on_bad_image=skip"
    )


def _suffix_advice(images: Sequence[ImageLocation], likely: Sequence[Path | None]) -> str:
    suffixes = {
        other.suffix
        for image, other in zip(images, likely, strict=True)
        if other is not None and other.stem.casefold() == image.name.casefold()
    }
    if not suffixes:
        return ""
    return f" (of a table, data.image_suffix={min(suffixes)} adds what the names lack)"


def write_reasons(path: Path, samples: Samples, unreadable: Mapping[int, str]) -> None:
    """Write a CSV file `ImageID,reason` of the samples whose images cannot be read."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["ImageID", "reason"])
    for row, reason in unreadable.items():
        writer.writerow([spreadsheet_text(printable(cell)) for cell in (samples.ids[row], reason)])
    write_atomic(path, text.getvalue().encode())
