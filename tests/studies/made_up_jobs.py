"""Jobs of studies that stop when decided, whose runs track made-up predictions."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmclf.evaluation.metrics import set_scores
from mmclf.storage.tracking import RunLog, TrackedRun, Tracker
from mmclf.studies.definition import Definition
from mmclf.studies.design import build_design
from mmclf.studies.factors import Factor, Level
from mmclf.studies.looks import Looks, fetch_looks
from mmclf.studies.pending import finished
from mmclf.studies.rounds import plan_of

N, L = 300, 4
# By how much more than another the predictions of a seed are wrong.
OFFSETS = (0.0, 0.012, -0.012, 0.004, -0.008, 0.008, -0.004, 0.01, -0.01, 0.002)


def definition(design: str, levels: Mapping[str, int], most: int, margin: float) -> Definition:
    """A study that stops when decided, of factors with so many levels each."""
    factors = [
        Factor(name, tuple(Level(f"{name}{i}", (f"{name}={i}",)) for i in range(count)))
        for name, count in levels.items()
    ]
    laid = build_design(design, factors, None, 32)
    asked = Definition(
        name="made_up",
        question="Which?",
        design=design,
        metric="test/f1_samples",
        baseline=laid.baseline,
        seeds=tuple(range(most)),
        factors={factor.name: [level.name for level in factor.levels] for factor in factors},
        arms=laid.arms,
        effects=laid.effects,
        command="mmclf study=made_up",
        data="0" * 12,
        margin=margin,
    )
    return Definition(**{**vars(asked), "plan": plan_of(asked, most)})


@dataclass
class Jobs:
    """Runs what a round lacks: `wrong` is how often each arm is, `sways` how much its seeds differ.

    `fails`: runs that fail; `interrupt_after`: how many runs there are before an interruption.
    """

    tracker: Tracker
    folder: Path
    wrong: Mapping[str, float]
    sways: Mapping[str, float] = field(default_factory=dict)
    fails: Collection[tuple[str, int]] = ()
    interrupt_after: int | None = None
    ran: list[tuple[str, int]] = field(default_factory=list)

    def __call__(self, _tracker: Tracker, parent: str, _count: int) -> Exception | None:
        """Run them, all arms of a seed before the next."""
        looks = looks_of(self.tracker, parent)
        done = finished(self.tracker.children(parent))
        error: Exception | None = None
        for seed in range(max(looks.round.values())):
            for arm, seeds in looks.round.items():
                if seed >= seeds or (arm, seed) in done:
                    continue
                if len(self.ran) == self.interrupt_after:
                    raise KeyboardInterrupt
                self.ran.append((arm, seed))
                error = self.track(parent, arm, seed) or error
        return error

    def track(self, parent: str, arm: str, seed: int) -> Exception | None:
        """A run, and the error that it failed with, if so it did."""
        tags = {"mmclf.arm": arm, "mmclf.seed": str(seed)}
        log = self.tracker.start(f"{arm}, seed={seed}", tags, parent)
        if (arm, seed) in self.fails:
            log.end("FAILED")
            return RuntimeError("it failed")
        self._predict(log, arm, seed)
        log.end("FINISHED")
        return None

    def _predict(self, log: RunLog, arm: str, seed: int) -> None:
        rate = self.wrong[arm] + self.sways.get(arm, 0.05) * OFFSETS[seed]
        chance = np.random.default_rng(0)
        labels = (chance.random((N, L)) < 0.4).astype(np.uint8)
        # The same samples are the hard ones of all runs, so that arms differ in few of them.
        predicted = np.where(chance.random((N, L)) < rate, 1 - labels, labels).astype(np.uint8)
        logits = np.where(predicted == 1, 2.0, -2.0).astype(np.float32)
        target = self.folder / log.id
        for name in ("predictions", "model"):
            (target / name).mkdir(parents=True)
        for part in ("val", "test"):
            ids = np.asarray([f"{part}{i}" for i in range(N)])
            path = target / "predictions" / f"{part}.npz"
            np.savez(path, ids=ids, logits=logits, labels=labels)
        settings = {"thresholds": [0.5] * L, "empty": "none", "label_names": ["w", "x", "y", "z"]}
        (target / "model" / "model.json").write_text(json.dumps(settings))
        log.metrics({f"test/{key}": of for key, of in set_scores(labels, predicted).items()})
        log.artifacts(target)


def start(tracker: Tracker, folder: Path, asked: Definition) -> RunLog:
    """The parent run of a study."""
    log = tracker.start("study: made_up", {"mmclf.study": "made_up"}, None)
    target = folder / "parent"
    target.mkdir()
    asked.write(target)
    log.artifacts(target)
    return log


def looks_of(tracker: Tracker, parent: str) -> Looks:
    """The looks that a parent run keeps."""
    looks = fetch_looks(tracker, *tracker.get([parent]))
    assert looks is not None
    return looks


def seeds_by_arm(runs: Collection[TrackedRun]) -> dict[str, list[int]]:
    """The seeds of each arm that have finished."""
    by_arm: dict[str, list[int]] = {}
    for arm, seed in sorted(finished(runs)):
        by_arm.setdefault(arm, []).append(seed)
    return by_arm
