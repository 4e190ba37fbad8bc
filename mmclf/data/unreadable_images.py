"""What becomes of images that cannot be read: the run stops, or goes on without their samples."""

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

    All of them are listed in a file in `output_dir`. Skipped ones are counted on standard error.
    """
    if not unreadable:
        return
    reasons = [why.partition(": replace the file")[0] for why in unreadable.values()]
    more = f" and {len(reasons) - LISTED} more" if len(reasons) > LISTED else ""
    counted = (
        f"{len(reasons)} of {len(samples)} images cannot be read: "
        f"{'; '.join(reasons[:LISTED])}{more}"
    )
    if on_bad_image == "skip":
        sys.stderr.write(f"mmclf: {counted}; their samples are left out\n")
        return
    path = output_dir / BAD_IMAGES
    path.parent.mkdir(parents=True, exist_ok=True)
    write_reasons(path, samples, unreadable)
    raise InputError(
        f"{counted} (all in {path}): replace the files, or leave their samples out by "
        "data.on_bad_image=skip"
    )


def write_reasons(path: Path, samples: Samples, unreadable: Mapping[int, str]) -> None:
    """A file of the samples whose images cannot be read, and why: ImageID,reason."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["ImageID", "reason"])
        writer.writerows((samples.ids[row], why) for row, why in unreadable.items())
