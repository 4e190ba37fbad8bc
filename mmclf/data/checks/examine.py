"""The examination of a data set: loads, decodes and splits it as a run would, and checks it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.checks import checkup
from mmclf.data.checks.check import Check, CheckStatus
from mmclf.data.checks.duplicates import same_pictures
from mmclf.data.checks.labels import LabelRow, label_rows
from mmclf.data.checks.parts import check_groups, check_sizes
from mmclf.data.decoded_images import DecodedImages, decode_images
from mmclf.data.samples import Samples
from mmclf.data.split import Parts, split
from mmclf.errors import InputError
from mmclf.storage import environment
from mmclf.storage.store.store import Store


@dataclass(frozen=True)
class Examination:
    """The checks of a data set.

    Args:
        checks: in the order of the report.
        labels: a row for each label.
        samples: None if they cannot be loaded.
        parts: rows of `samples`, without those that a run would skip; None if the samples cannot
            be split.

    """

    checks: Sequence[Check]
    labels: Sequence[LabelRow] = ()
    samples: Samples | None = None
    parts: Parts | None = None

    def count(self, status: CheckStatus) -> int:
        """The number of checks with this status."""
        return sum(check.status == status for check in self.checks)


def examine(config: Config, *, read_images: bool) -> Examination:
    """Examine the data that `config` describes, its images only if `read_images`.

    All images are decoded into the store, where later runs find them. Errors that would stop a run
    become checks. Raises InputError if the decoded images cannot be written.
    """
    try:
        samples: Samples = build(config.data.part, role="data", allow=config.allow_targets)
    except InputError as error:
        return Examination(checkup.problem_checks("data", error))
    decoded = _decoded(config, samples) if read_images and samples.images else None
    drawn, parts, split_problems = _split(config, samples, decoded)
    labels = label_rows(samples, parts)
    checks = [
        *(Check("note", "source", note) for note in samples.notes),
        *checkup.check_samples(samples, parts),
        *check_groups(samples, config.split),
        *split_problems,
        *([check_sizes(samples, drawn, config.split)] if drawn is not None else []),
        *checkup.check_captions(samples, parts),
        *_check_images(config, samples, decoded, parts),
        *(checkup.check_labels(samples, parts, labels) if parts is not None else []),
    ]
    return Examination(checks, labels, samples, parts)


def _decoded(config: Config, samples: Samples) -> DecodedImages:
    store = Store(Path(config.store.dir), environment.describe_cpu())
    return decode_images(
        samples.images,
        size=config.image.pixels,
        crop=config.image.crop,
        workers=config.encode.workers,
        store=store,
    )


def _split(
    config: Config, samples: Samples, decoded: DecodedImages | None
) -> tuple[Parts | None, Parts | None, list[Check]]:
    """The parts as drawn and as a run would use them, each None if there is a problem, as told."""
    drawn = None
    try:
        drawn = parts = split(
            samples.labels,
            samples.own_val,
            samples.own_test,
            samples.group_numbers,
            seed=config.seed,
            **config.split.drawing,
        )
        if decoded is not None and config.data.on_bad_image == "skip":
            parts = parts.without(decoded.unreadable)
    except InputError as error:
        return drawn, None, checkup.problem_checks("split", error)
    return drawn, parts, []


def _check_images(
    config: Config, samples: Samples, decoded: DecodedImages | None, parts: Parts | None
) -> list[Check]:
    if decoded is None:
        why = "not looked at (--no-images)" if samples.images else "this data has none"
        return [Check("note", "images", f"{why}; a run needs vision=none to do without")]
    groups = same_pictures(decoded.pictures, decoded.unreadable)
    on_bad_image = config.data.on_bad_image
    return [
        *checkup.check_images(
            samples, decoded.unreadable, size=config.image.pixels, on_bad_image=on_bad_image
        ),
        *(Check("note", "grey of fewer bits", note) for note in decoded.notes),
        *checkup.check_same_images(samples, groups, parts),
    ]
