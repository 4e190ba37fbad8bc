"""The data of a run: samples, their split, their decoded images."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.config.schema import Config, Split
from mmclf.config.targets import build
from mmclf.data.checks.parts import check_groups, check_label_parts, check_sizes
from mmclf.data.decoded_images import DecodedImages, decode_images
from mmclf.data.label_support import check_label_support
from mmclf.data.permute import with_shuffled_captions
from mmclf.data.samples import Samples
from mmclf.data.shared_groups import check_shared_groups
from mmclf.data.split import Parts, stored_split
from mmclf.data.unreadable_images import check_readable
from mmclf.errors import InputError
from mmclf.pipeline.narration import Narrator
from mmclf.pipeline.remote_store import open_remote
from mmclf.storage.meter import Meter
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.entry import StageTiming
from mmclf.storage.store.store import Store

ImagesOf = Callable[[Config, Samples, Store], DecodedImages]


@dataclass(frozen=True)
class RunData:
    """The data of a run.

    Args:
        samples: of the source.
        parts: of the split.
        images: None if the run uses no images.
        timings: of the split and of decoding.
        shared_groups: the number of groups that the source's own parts divide.

    """

    samples: Samples
    parts: Parts
    images: DecodedImages | None
    timings: tuple[StageTiming, ...]
    shared_groups: int = 0

    def labels(self, part: str) -> NDArray[np.uint8]:
        """Labels (N, L) of a part."""
        return self.samples.labels[self.parts[part]]


@contextmanager
def open_store(config: Config, hardware: str) -> Iterator[Store]:
    """The store of stage results; a temporary one with cache=off."""
    meter = Meter(energy=config.tracking.energy)
    if config.cache == "on":
        with open_remote(config) as remote:
            yield Store(Path(config.store.dir), hardware, meter, remote)
        return
    store = Store(Path(config.store.dir), hardware, meter)
    with tempfile.TemporaryDirectory(dir=store.folder, prefix="off-") as name:
        yield Store(Path(name), hardware, meter)


def load_run_data(
    config: Config,
    store: Store,
    images_of: ImagesOf | None = None,
    narrator: Narrator | None = None,
) -> RunData:
    """Load the samples, split them, and decode their images; what is odd is told.

    Raises InputError if the data are invalid.

    Args:
        config: of the run.
        store: of the split and of the decoded images.
        images_of: decodes the images; None for `decode_run_images`.
        narrator: is told how it goes; None for one of this run alone.

    """
    narrator = narrator if narrator is not None else Narrator()
    narrator.now("reading the data")
    clock = Stopwatch()
    samples = load_samples(config)
    narrator.read(_in_words(samples), clock.elapsed())
    narrator.now("splitting the data")
    shared = check_shared_groups(samples, config.split.on_shared_group)
    split = stored_split(samples, store, seed=config.seed, **config.split.drawing)
    parts, timings = split.value, split.timings
    tell(samples, parts, config.split, narrator)
    images: DecodedImages | None = None
    if not config.vision.is_none:
        narrator.now("looking at the images")
        decode = images_of if images_of is not None else decode_run_images
        images = decode(config, samples, store)
        narrator.stage("decoding", "images", images.timing, reused=images.reused)
        for note in images.notes:
            narrator.note(note)
        # After the split, so that all runs of a study have the same test set apart from these.
        parts = parts.without(images.unreadable)
        timings = (*timings, images.timing)
    check_label_support(samples.labels, parts, samples.label_names)
    return RunData(samples, parts, images, timings, shared)


def tell(samples: Samples, parts: Parts, split: Split, narrator: Narrator) -> None:
    """Tell what the source left out, the sizes of the parts, and what is odd in the split."""
    for note in samples.notes:
        narrator.note(note)
    narrator.split(", ".join(f"{name} {len(rows):,}" for name, rows in parts.items()))
    checks = [
        *check_groups(samples, split),
        check_sizes(samples, parts, split),
        *check_label_parts(samples, parts),
    ]
    for check in checks:
        if check.status != "ok":
            narrator.note(f"{check.name}: {check.detail}")


def _in_words(samples: Samples) -> str:
    """As `1,600 samples with images, 18 labels`."""
    images = " with images" if samples.images else ""
    return f"{len(samples):,} samples{images}, {len(samples.label_names)} labels"


def load_samples(config: Config) -> Samples:
    """The samples of the configured source, with captions shuffled if so configured."""
    samples: Samples = build(config.data.part, "data", config.allow_targets)
    if config.data.caption_order == "shuffled":
        return with_shuffled_captions(samples)
    return samples


def decode_configured(config: Config, samples: Samples, store: Store) -> DecodedImages:
    """The decoded images of the samples, those that cannot be read among them."""
    return decode_images(
        samples.images,
        size=config.image.pixels,
        crop=config.image.crop,
        workers=config.encode.workers,
        store=store,
    )


def decode_run_images(config: Config, samples: Samples, store: Store) -> DecodedImages:
    """The decoded images of the samples; raises InputError as configured by `on_bad_image`."""
    if not samples.images:
        raise InputError(
            "vision: this data has no images (data.image_column is null): choose vision=none"
        )
    images = decode_configured(config, samples, store)
    check_readable(
        samples,
        images.unreadable,
        on_bad_image=config.data.on_bad_image,
        output_dir=Path(config.output_dir),
    )
    return images
