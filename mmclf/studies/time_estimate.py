"""Estimates of the time of runs, from the costs of similar stored results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from mmclf.config.components import MODALITIES
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.decoded_images import DecodedImages, decoding_stage, read_unreadable
from mmclf.data.images import Pictures
from mmclf.data.samples import Samples
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline.empty_predictions import with_empty
from mmclf.pipeline.image_size import resolved
from mmclf.pipeline.narration import Narrator
from mmclf.pipeline.run_data import RunData, load_run_data
from mmclf.pipeline.stages import RunStages, StageResolver
from mmclf.storage.store.entry import Entry, Stage, StageTiming
from mmclf.storage.store.maintenance import stored_entries
from mmclf.storage.store.store import Store

UNKNOWN = math.nan


@dataclass
class TimeEstimate:
    """The estimated time of the results that are not stored yet.

    Args:
        seconds: by the key of each result, which several runs may share; NaN if unknown.
        kinds: the name of the stage, by the same keys.
        unknown_runs: the number of runs whose stages cannot be determined yet.

    """

    seconds: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    unknown_runs: int = 0

    def add(self, stage: Stage, seconds: float, run: str = "") -> None:
        """Add a result that is not stored; not shared with other runs if `run` is given."""
        self.seconds[stage.key + run] = seconds
        self.kinds[stage.key + run] = stage.name

    def merge(self, other: TimeEstimate) -> None:
        """Add the results of another estimate, those in both only once."""
        self.seconds |= other.seconds
        self.kinds |= other.kinds
        self.unknown_runs += other.unknown_runs

    def count(self, kind: str) -> int:
        """The number of results of a kind of stage."""
        return sum(name == kind for name in self.kinds.values())

    @property
    def known(self) -> float:
        """The total seconds of the results whose time is known."""
        return sum(value for value in self.seconds.values() if not math.isnan(value))

    @property
    def unknown(self) -> int:
        """The number of results whose time is unknown."""
        return sum(math.isnan(value) for value in self.seconds.values())


class StageSpeeds:
    """Seconds per sample of the stages in a store, on one hardware."""

    def __init__(self, folder: Path, hardware: str) -> None:
        entries = [stored.entry for stored in stored_entries(folder) if stored.entry is not None]
        self._entries = [entry for entry in entries if entry.timing.hardware == hardware]

    def of(self, stage: Stage) -> float:
        """The median of the most similar stored results; NaN if there are none."""
        similar = [entry for entry in self._entries if entry.timing.stage == stage.name]
        if stage.name in MODALITIES:
            required_equal = ("encoder", "precision")
            similar = [
                e
                for e in similar
                if all(e.arguments[k] == stage.arguments[k] for k in required_equal)
            ]
        if stage.name == "fit":
            similar = _similar_fits(similar, stage)
        rates = [
            entry.timing.seconds / entry.timing.count for entry in similar if entry.timing.count > 0
        ]
        return median(rates) if rates else UNKNOWN


def _similar_fits(fits: Sequence[Entry], stage: Stage) -> list[Entry]:
    """The fits with the same head and batch size; if there are none, those with the same head."""

    def is_equal(entry: Entry, *path: str) -> bool:
        own, other = stage.arguments, entry.arguments
        try:
            for name in path:
                own, other = own[name], other[name]
        except (LookupError, TypeError):  # of a record that another version wrote
            return False
        return bool(own == other)

    same_head = [entry for entry in fits if is_equal(entry, "head")]
    same_batch_size = [entry for entry in same_head if is_equal(entry, "trainer", "batch_size")]
    return same_batch_size or same_head


class TimeEstimator:
    """Estimates what runs on one store still need; reads data that they share once."""

    def __init__(self, config: Config, hardware: str) -> None:
        self._hardware = hardware
        self._store = Store(Path(config.store.dir), hardware)
        self._speeds = StageSpeeds(self._store.folder, hardware)
        self._data: dict[str, RunData] = {}
        self._runs = 0
        self._narrator = Narrator(of_many=True)

    def add(self, config: Config, estimate: TimeEstimate) -> RunStages | None:
        """Add what a run needs to `estimate`; returns None if its stages cannot be determined.

        With cache=off it needs all results, and shares none with other runs.
        """
        config = resolved(config)
        data = self.run_data(config)
        config = with_empty(config, data.samples)
        threshold: Threshold = build(config.threshold, "threshold", config.allow_targets)
        empty, hasher = threshold.empty, self._store.hasher
        stages = StageResolver(config, data, empty, hasher, self._hardware).resolve()
        if stages is None or any(self._is_stored(s, config) for s in (stages.decide, stages.fit)):
            return stages
        self._runs += 1
        run = "" if config.cache == "on" else f" of run {self._runs}"
        decoding = [] if data.images is None else [data.images.stage]
        features = [stage for views in stages.features.values() for stage in views]
        for stage in (*decoding, *features):
            if not self._is_stored(stage, config):
                estimate.add(stage, self._speeds.of(stage) * len(data.samples), run)
        samples_seen = len(data.parts.train) * config.trainer.epochs
        estimate.add(stages.fit, self._speeds.of(stages.fit) * samples_seen, run)
        return stages

    def _is_stored(self, stage: Stage, config: Config) -> bool:
        return config.cache == "on" and self._store.entry(stage) is not None

    def run_data(self, config: Config) -> RunData:
        """The data of a run, whose images are not decoded."""
        name = repr((config.data, config.split, config.image, config.vision.is_none, config.seed))
        if name not in self._data:
            self._data[name] = load_run_data(config, self._store, self._load_images, self._narrator)
        return self._data[name]

    def _load_images(self, config: Config, samples: Samples, store: Store) -> DecodedImages:
        """The images of a run without decoding them."""
        image = config.image
        stage = decoding_stage(
            samples.images, size=image.pixels, crop=image.crop, hasher=store.hasher
        )
        entry = store.entry(stage)
        if entry is not None:
            return DecodedImages(stage, read_unreadable(entry), entry.timing, _not_decoded)
        timing = StageTiming(stage.name, stage.key, 0.0, len(samples), self._hardware, None)
        return DecodedImages(stage, {}, timing, _not_decoded)


def _not_decoded() -> Pictures:
    raise AssertionError("an estimate looks at no picture")
