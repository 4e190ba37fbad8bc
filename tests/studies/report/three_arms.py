"""A tracked study of three arms, whose runs predict wrongly at a rate that is given."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.metrics import mean_average_precision, set_scores
from mmclf.evaluation.scores import probabilities_of
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import FILE, Definition
from mmclf.studies.design_kinds import Arm, Effect

N, L = 60, 3
ARMS = ("a", "b", "c")
RULES = ("at_0.5", "fitted")


def definition(seeds: tuple[int, ...], metric: str = "test/f1_samples") -> Definition:
    return Definition(
        name="made_up",
        question="Which?",
        design="grid",
        metric=metric,
        baseline="a",
        seeds=seeds,
        factors={"x": list(ARMS)},
        arms=tuple(Arm(name, {"x": name}, (f"x={name}",)) for name in ARMS),
        effects=tuple(Effect(name, {name: 1.0, "a": -1.0}) for name in ARMS[1:]),
        command="mmclf study=made_up",
        data="0" * 12,
    )


def start(
    tracker: Tracker, folder: Path, asked: Definition, *, without: Collection[str] = ()
) -> TrackedRun:
    """The parent run of a study, whose definition lacks some fields, as it once did."""
    log = tracker.start("study: made_up", {"mmclf.study": "made_up"}, None)
    target = folder / "parent"
    target.mkdir()
    asked.write(target)
    path = target / FILE
    held = json.loads(path.read_text())
    path.write_text(json.dumps({key: of for key, of in held.items() if key not in without}))
    log.artifacts(target)
    log.end("FINISHED")
    return tracker.get([log.id])[0]


def truth(count: int = N) -> NDArray[np.uint8]:
    return (np.random.default_rng(0).random((count, L)) < 0.4).astype(np.uint8)


def track(
    tracker: Tracker,
    folder: Path,
    parent: str | None,
    arm: str,
    seed: int,
    wrong: float,
    *,
    ids: int = N,
    tags: Mapping[str, str] | None = None,
    tracked: float | None = None,
    seconds: float = 3.0,
    rules: bool = False,
) -> str:
    """A finished run whose predictions are wrong at a rate.

    `rules`: its metrics at 0.5 and fitted, and its mAP, are tracked as they are.
    """
    labels = truth(ids)
    chance = np.random.default_rng([seed, int(wrong * 1000)])
    flipped = chance.random(labels.shape) < wrong
    predicted = np.where(flipped, 1 - labels, labels).astype(np.uint8)
    logits = np.where(predicted == 1, 2.0, -2.0).astype(np.float32)
    target = folder / f"{arm}-{seed}-{wrong}"
    (target / "predictions").mkdir(parents=True)
    (target / "model").mkdir()
    for part in ("val", "test"):
        names = np.asarray([f"{part}{i}" for i in range(ids)])
        path = target / "predictions" / f"{part}.npz"
        np.savez(path, ids=names, logits=logits, labels=labels)
    settings = {"thresholds": [0.5] * L, "empty": "none", "label_names": ["x", "y", "z"]}
    (target / "model" / "model.json").write_text(json.dumps(settings))
    known = {"mmclf.arm": arm, "mmclf.seed": str(seed), "mmclf.hardware": "a machine"}
    log = tracker.start(f"{arm}, seed={seed}", known | dict(tags or {}), parent)
    sets = set_scores(labels, predicted)
    scores = {f"test/{key}": value for key, value in sets.items()}
    if tracked is not None:
        scores["test/f1_samples"] = tracked
    scores |= {"test/map": 0.5, "time/cold_s": seconds}
    if rules:
        scores |= {f"test/{key}_{rule}": of for key, of in sets.items() for rule in RULES}
        scores["test/map"] = mean_average_precision(labels, probabilities_of(logits))
    log.metrics(scores)
    log.artifacts(target)
    log.end("FINISHED")
    return log.id
