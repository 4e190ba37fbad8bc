"""What a run starts from, before any part of its model: samples, split, pictures, threshold."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.decoded_images import DecodedImages
from mmclf.data.label_support import check_supports
from mmclf.data.permute import with_shuffled_captions
from mmclf.data.samples import Samples
from mmclf.data.split import Parts, stored_split
from mmclf.data.unreadable_images import hang
from mmclf.evaluation.thresholds import Threshold
from mmclf.storage.store.entry import StageTiming
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.store import Store


@dataclass(frozen=True)
class RunData:
    """Samples, their split, their pictures (None without images), and the rule for thresholds.

    `costs`: of the split and of decoding.
    """

    samples: Samples
    parts: Parts
    gallery: DecodedImages | None
    threshold: Threshold
    timings: tuple[StageTiming, ...]

    def labels(self, part: str) -> NDArray[np.uint8]:
        """Labels (N, L) of a part."""
        return self.samples.labels[self.parts[part]]


@contextmanager
def open_store(config: Config, hardware: str) -> Iterator[tuple[Store, FileHasher]]:
    """The store of results, and the sums of files; with cache=off empty ones that are not kept."""
    if config.cache == "on":
        store = Store(Path(config.store.dir), hardware)
        yield store, FileHasher(store.folder / "sums")
        return
    folder = Store(Path(config.store.dir), hardware).folder
    with tempfile.TemporaryDirectory(dir=folder, prefix="off-") as name:
        yield Store(Path(name), hardware), FileHasher(Path(name) / "sums")


Hang = Callable[[Config, Samples, Store, FileHasher], DecodedImages]


def gather(config: Config, store: Store, sums: FileHasher, hanging: Hang = hang) -> RunData:
    """The material of a run; raises InputError for whatever is wrong with the data.

    `hanging` makes the pictures, where there are some to look at.
    """
    make = partial(build, allow=config.allow_targets)
    samples: Samples = make(config.data.part, role="data")
    if config.data.caption_order == "shuffled":
        samples = with_shuffled_captions(samples)
    drawn = stored_split(samples, store, seed=config.seed, **asdict(config.split))
    parts, timings = drawn.value, drawn.timings
    gallery: DecodedImages | None = None
    if not config.vision.is_none:
        gallery = hanging(config, samples, store, sums)
        # After the split, so that every run of a study has the same test set but for these.
        parts = parts.without(gallery.unreadable)
        timings = (*timings, gallery.timing)
    check_supports(samples.labels, parts, samples.label_names)
    return RunData(samples, parts, gallery, make(config.threshold, role="threshold"), timings)
