"""How long runs that are still to be done will take, from what like ones have cost before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.decoded_images import DecodedImages, pictures_stage, read_unreadable
from mmclf.data.images import Pictures
from mmclf.data.samples import Samples
from mmclf.pipeline.run_data import RunData, gather
from mmclf.pipeline.stages import Plan, Planner
from mmclf.storage.store.entry import Entry, Stage, StageTiming
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.maintenance import kept
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
        found = [one.entry for one in kept(folder) if one.entry is not None]
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
        self._sums = FileHasher(self._store.folder / "sums")
        self._speeds = Speeds(self._store.folder, hardware)
        self._materials: dict[str, RunData] = {}
        self._runs = 0

    def add(self, config: Config, to: TimeEstimate) -> Plan | None:
        """Add what a run needs; None if its encoders are not known well enough to tell.

        With cache=off it needs everything, and shares nothing with other runs.
        """
        material = self._material(config)
        plan = Planner(config, material, self._sums, self._hardware).plan()
        if plan is None or self._stored(plan.decide, config) or self._stored(plan.fit, config):
            return plan
        self._runs += 1
        run = "" if config.cache == "on" else f" of run {self._runs}"
        gallery = [] if material.gallery is None else [material.gallery.stage]
        features = [stage for stages in plan.features.values() for stage in stages]
        for stage in (*gallery, *features):
            if not self._stored(stage, config):
                to.add(stage, self._speeds.of(stage) * len(material.samples), run)
        seen = len(material.parts.train) * config.trainer.epochs
        to.add(plan.fit, self._speeds.of(plan.fit) * seen, run)
        return plan

    def _stored(self, stage: Stage, config: Config) -> bool:
        return config.cache == "on" and self._store.find(stage) is not None

    def _material(self, config: Config) -> RunData:
        name = repr((config.data, config.split, config.image, config.vision.is_none, config.seed))
        if name not in self._materials:
            self._materials[name] = gather(config, self._store, self._sums, self._sketch)
        threshold = build(config.threshold, "threshold", config.allow_targets)
        return replace(self._materials[name], threshold=threshold)

    def _sketch(
        self, config: Config, samples: Samples, store: Store, sums: FileHasher
    ) -> DecodedImages:
        """The pictures as they will be known, without any being decoded."""
        image = config.image
        stage = pictures_stage(samples.images, size=image.size, crop=image.crop, sums=sums)
        entry = store.find(stage)
        unreadable: Mapping[int, str] = read_unreadable(entry) if entry is not None else {}
        timing = StageTiming(stage.name, stage.key, 0.0, len(samples), self._hardware, None)
        return DecodedImages(
            stage, unreadable, timing if entry is None else entry.timing, _not_decoded
        )


def _not_decoded() -> Pictures:
    raise AssertionError("a forecast looks at no picture")
