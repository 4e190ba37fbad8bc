"""Handling of unreadable images: the run stops, or skips their samples."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from mmclf.data.problems import LISTED
from mmclf.data.samples import Samples
from mmclf.errors import InputError

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
    summary = (
        f"{len(reasons)} of {len(samples)} images cannot be read: "
        f"{'; '.join(reasons[:LISTED])}{rest}"
    )
    if on_bad_image == "skip":
        sys.stderr.write(f"mmclf: {summary}; their samples are left out\n")
        return
    path = output_dir / BAD_IMAGES
    path.parent.mkdir(parents=True, exist_ok=True)
    write_reasons(path, samples, unreadable)
    raise InputError(
        f"{summary} (all in {path}): replace the files, or leave their samples out by "
        "data.on_bad_image=skip"
    )


def write_reasons(path: Path, samples: Samples, unreadable: Mapping[int, str]) -> None:
    """Write a CSV file `ImageID,reason` of the samples whose images cannot be read."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["ImageID", "reason"])
        writer.writerows((samples.ids[row], reason) for row, reason in unreadable.items())
