"""How long runs that are still to be done will take, from what like ones have cost before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.decoded_images import DecodedImages, decoding_stage, read_unreadable
from mmclf.data.images import Pictures
from mmclf.data.samples import Samples
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline.run_data import RunData, load_run_data
from mmclf.pipeline.stages import RunStages, StageResolver
from mmclf.storage.store.entry import Entry, Stage, StageTiming
from mmclf.storage.store.maintenance import stored_entries
from mmclf.storage.store.store import Store

UNKNOWN = math.nan


@dataclass
class TimeEstimate:
    """What is still to be computed: seconds by the key of each result, NaN where nothing is known.

    A result that several runs need is in it once. `unknown_runs`: those whose encoders are not
    known well enough to say what they need.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    unknown_runs: int = 0

    def add(self, stage: Stage, seconds: float, run: str = "") -> None:
        """Count a result that is not stored; one of `run` alone if that is named."""
        self.seconds[stage.key + run] = seconds
        self.kinds[stage.key + run] = stage.name

    def take(self, other: TimeEstimate) -> None:
        """Count what another one counts, what both do once."""
        self.seconds |= other.seconds
        self.kinds |= other.kinds
        self.unknown_runs += other.unknown_runs

    def count(self, kind: str) -> int:
        """How many results of a kind of stage are to be computed."""
        return sum(name == kind for name in self.kinds.values())

    @property
    def known(self) -> float:
        """Seconds of all whose speed is known."""
        return sum(value for value in self.seconds.values() if not math.isnan(value))

    @property
    def unknown(self) -> int:
        """How many results take a time that nothing tells."""
        return sum(math.isnan(value) for value in self.seconds.values())


class Speeds:
    """Seconds a sample of the stages in a store, on one hardware."""

    def __init__(self, folder: Path, hardware: str) -> None:
        found = [one.entry for one in stored_entries(folder) if one.entry is not None]
        self._entries = [entry for entry in found if entry.timing.hardware == hardware]

    def of(self, stage: Stage) -> float:
        """The median of the most alike results that are stored; NaN if there is none."""
        alike = [entry for entry in self._entries if entry.timing.stage == stage.name]
        if stage.name in ("vision", "text"):
            same = ("encoder", "precision")
            alike = [e for e in alike if all(e.arguments[k] == stage.arguments[k] for k in same)]
        if stage.name == "fit":
            alike = _nearest_fits(alike, stage)
        rates = [
            entry.timing.seconds / entry.timing.count for entry in alike if entry.timing.count > 0
        ]
        return median(rates) if rates else UNKNOWN


def _nearest_fits(fits: Sequence[Entry], stage: Stage) -> list[Entry]:
    """Those with the same head and batch size, or those with the same head, or none."""

    def same(entry: Entry, *path: str) -> bool:
        ours, theirs = stage.arguments, entry.arguments
        for name in path:
            ours, theirs = ours[name], theirs[name]
        return bool(ours == theirs)

    head = [entry for entry in fits if same(entry, "head")]
    batch = [entry for entry in head if same(entry, "trainer", "batch_size")]
    return batch or head


class TimeEstimator:
    """Adds up what runs on one store still need; data that they share are read once."""

    def __init__(self, config: Config, hardware: str) -> None:
        self._hardware = hardware
        self._store = Store(Path(config.store.dir), hardware)
        self._speeds = Speeds(self._store.folder, hardware)
        self._data: dict[str, RunData] = {}
        self._runs = 0

    def add(self, config: Config, to: TimeEstimate) -> RunStages | None:
        """Add what a run needs; None if its encoders are not known well enough to tell.

        With cache=off it needs everything, and shares nothing with other runs.
        """
        data = self._run_data(config)
        threshold: Threshold = build(config.threshold, "threshold", config.allow_targets)
        empty, hasher = threshold.empty, self._store.hasher
        stages = StageResolver(config, data, empty, hasher, self._hardware).resolve()
        if stages is None or any(self._stored(s, config) for s in (stages.decide, stages.fit)):
            return stages
        self._runs += 1
        run = "" if config.cache == "on" else f" of run {self._runs}"
        decoding = [] if data.images is None else [data.images.stage]
        features = [stage for views in stages.features.values() for stage in views]
        for stage in (*decoding, *features):
            if not self._stored(stage, config):
                to.add(stage, self._speeds.of(stage) * len(data.samples), run)
        seen = len(data.parts.train) * config.trainer.epochs
        to.add(stages.fit, self._speeds.of(stages.fit) * seen, run)
        return stages

    def _stored(self, stage: Stage, config: Config) -> bool:
        return config.cache == "on" and self._store.entry(stage) is not None

    def _run_data(self, config: Config) -> RunData:
        name = repr((config.data, config.split, config.image, config.vision.is_none, config.seed))
        if name not in self._data:
            self._data[name] = load_run_data(config, self._store, self._images)
        return self._data[name]

    def _images(self, config: Config, samples: Samples, store: Store) -> DecodedImages:
        """The images as they will be known, without any being decoded."""
        image = config.image
        stage = decoding_stage(
            samples.images, size=image.size, crop=image.crop, hasher=store.hasher
        )
        entry = store.entry(stage)
        if entry is not None:
            return DecodedImages(stage, read_unreadable(entry), entry.timing, _not_decoded)
        timing = StageTiming(stage.name, stage.key, 0.0, len(samples), self._hardware, None)
        return DecodedImages(stage, {}, timing, _not_decoded)


def _not_decoded() -> Pictures:
    raise AssertionError("an estimate looks at no picture")
