"""Estimates of the time of runs, from the costs of similar stored results."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

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
from mmclf.storage.store.remote import Remote
from mmclf.storage.store.store import Store
from mmclf.storage.tracking import TrackedRun

UNKNOWN = math.nan
# What fits are alike in, the most important first; their number of samples is allowed for.
FIT_LIKENESS = (("inputs",), ("trainer", "batch_size"), ("fusion",), ("loss",), ("parts",))
# As `mmclf.pipeline.stage_timing.timing_tags` writes them.
STAGE_TAG, OWN_RESULT = "mmclf.stage.", re.compile(r" by this run in ([0-9.]+) s on ")
COUNTED = ("pictures", *MODALITIES, "fit")  # the stages that an estimate counts


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

    def beyond(self, other: TimeEstimate) -> TimeEstimate:
        """What this one has that the other lacks."""
        keys = [key for key in self.seconds if key not in other.seconds]
        return TimeEstimate(
            {key: self.seconds[key] for key in keys},
            {key: self.kinds[key] for key in keys},
            self.unknown_runs,
        )

    def of_kinds(self) -> dict[str, list[float]]:
        """The known seconds of the results of each kind of stage."""
        of_kind: dict[str, list[float]] = {}
        for key, kind in self.kinds.items():
            if not math.isnan(self.seconds[key]):
                of_kind.setdefault(kind, []).append(self.seconds[key])
        return of_kind

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
    """The fits with the same head, and of these those that are alike in more, if there are any."""
    similar = [entry for entry in fits if _of(entry.arguments, "head") == _of(stage, "head")]
    for path in FIT_LIKENESS:
        alike = [entry for entry in similar if _of(entry.arguments, *path) == _of(stage, *path)]
        similar = alike or similar
    return similar


def _of(arguments: Any, *path: str) -> Any:
    """What stands at a path in a stage's arguments, of `inputs` the modalities; None without it."""
    node = arguments.arguments if isinstance(arguments, Stage) else arguments
    for name in path:
        if not isinstance(node, Mapping) or name not in node:  # of a record of another version
            return None
        node = node[name]
    return sorted(node) if path == ("inputs",) and isinstance(node, Mapping) else node


def overhead(runs: Sequence[TrackedRun], hardware: str, data: str | None = None) -> float:
    """The median seconds of a run beside those counted: reading, testing, logging; NaN if unknown.

    Of finished runs on this hardware; if there are any, of those on the same data, and within a
    sweep or a study, where nothing has to be imported. `data`: the digest that runs are tagged
    with.
    """
    finished = [
        run
        for run in runs
        if run.status == "FINISHED"
        and "time/wall_s" in run.metrics
        and run.tags.get("mmclf.hardware") == hardware
        and any(tag.startswith(STAGE_TAG) for tag in run.tags)
    ]
    for is_alike in (
        lambda run: run.parent is not None,
        lambda run: run.tags.get("mmclf.data_digest") == data,
    ):
        finished = [run for run in finished if is_alike(run)] or finished
    spent = [
        max(0.0, run.metrics["time/wall_s"] - sum(own_seconds(run).values())) for run in finished
    ]
    return median(spent) if spent else UNKNOWN


def own_seconds(run: TrackedRun) -> dict[str, float]:
    """The seconds of a run's own results that an estimate counts, by the kind of stage."""
    seconds: dict[str, float] = {}
    for tag, value in run.tags.items():
        stage = tag.removeprefix(STAGE_TAG).partition(".")[0]
        match = OWN_RESULT.search(value) if tag.startswith(STAGE_TAG) else None
        if match is not None and stage in COUNTED:
            seconds[stage] = seconds.get(stage, 0.0) + float(match[1])
    return seconds


class TimeEstimator:
    """Estimates what runs on one store still need; reads data that they share once.

    What lies in the `remote` store is not needed either.
    """

    def __init__(self, config: Config, hardware: str, remote: Remote | None = None) -> None:
        self._hardware = hardware
        self._store = Store(Path(config.store.dir), hardware, remote=remote)
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
        return config.cache == "on" and self._store.is_stored(stage)

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
