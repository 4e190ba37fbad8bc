"""The examination of a data set: loaded, decoded and split as a run would, nothing trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.checks import checkup
from mmclf.data.checks.check import Check, Verdict
from mmclf.data.checks.duplicates import same_pictures
from mmclf.data.checks.labels import LabelRow, label_rows
from mmclf.data.decoded_images import DecodedImages, decode_images
from mmclf.data.samples import Samples
from mmclf.data.split import Parts, split
from mmclf.errors import InputError
from mmclf.storage import environment
from mmclf.storage.store.store import Store


@dataclass(frozen=True)
class Examination:
    """What was found; `samples` is None if they cannot be loaded, `parts` if they cannot be split.

    Indices in `parts` are those of `samples`; samples that a run would leave out are in no part.
    """

    checks: Sequence[Check]
    labels: Sequence[LabelRow] = ()
    samples: Samples | None = None
    parts: Parts | None = None

    def count(self, verdict: Verdict) -> int:
        """How many findings have this verdict."""
        return sum(check.verdict == verdict for check in self.checks)


def examine(config: Config, *, look: bool) -> Examination:
    """Examine the data that `config` describes; its images only if asked to `look` at them.

    Every image is decoded, once for later runs, too. What would stop a run is among the findings,
    not raised. Raises InputError if the decoded pictures cannot be written.
    """
    try:
        samples: Samples = build(config.data.part, role="data", allow=config.allow_targets)
    except InputError as error:
        return Examination(checkup.problems("data", error))
    decoded = _decoded(config, samples) if look and samples.images else None
    parts, about_split = _split(config, samples, decoded)
    labels = label_rows(samples, parts)
    checks = [
        *checkup.about_samples(samples, parts),
        *about_split,
        *checkup.about_captions(samples, parts),
        *_about_images(config, samples, decoded, parts),
        *(checkup.about_labels(samples, parts, labels) if parts is not None else []),
    ]
    return Examination(checks, labels, samples, parts)


def _decoded(config: Config, samples: Samples) -> DecodedImages:
    store = Store(Path(config.store.dir), environment.describe_cpu())
    return decode_images(
        samples.images,
        size=config.image.size,
        crop=config.image.crop,
        workers=config.encode.workers,
        store=store,
    )


def _split(
    config: Config, samples: Samples, decoded: DecodedImages | None
) -> tuple[Parts | None, list[Check]]:
    """The parts that a run would use."""
    try:
        parts = split(
            samples.labels,
            samples.own_val,
            samples.own_test,
            seed=config.seed,
            **asdict(config.split),
        )
        if decoded is not None and config.data.on_bad_image == "skip":
            parts = parts.without(decoded.unreadable)
    except InputError as error:
        return None, checkup.problems("split", error)
    return parts, []


def _about_images(
    config: Config, samples: Samples, decoded: DecodedImages | None, parts: Parts | None
) -> list[Check]:
    if decoded is None:
        why = "not looked at (--no-images)" if samples.images else "this data has none"
        return [Check("note", "images", f"{why}; a run needs vision=none to do without")]
    groups = same_pictures(decoded.pictures, decoded.unreadable)
    bad = config.data.on_bad_image
    return [
        *checkup.about_images(
            samples, decoded.unreadable, size=config.image.size, on_bad_image=bad
        ),
        *checkup.about_same_images(samples, groups, parts),
    ]
