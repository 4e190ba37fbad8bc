"""Runs that are tracked as the pipeline tracks them, with made-up predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from mlflow import MlflowClient

from mmclf.evaluation.metrics import set_scores
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.definition import Definition
from mmclf.studies.design_kinds import Arm, Effect
from mmclf.studies.report.result.details import Floats

LABELS = ("cat", "dog", "hat")
ARMS = ("plain", "better")
TRAIN, VAL, TEST = 50, 30, 40
SIZES = {"train": TRAIN, "val": VAL, "test": TEST}
EPOCHS = 3


def tracker_in(folder: Path) -> Tracker:
    """A new database."""
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)


def start(tracker: Tracker, folder: Path, seeds: tuple[int, ...]) -> TrackedRun:
    """The parent run of a study of both arms."""
    asked = Definition(
        name="made_up",
        question="Which?",
        design="grid",
        metric="test/f1_samples",
        baseline=ARMS[0],
        seeds=seeds,
        factors={"arm": list(ARMS)},
        arms=tuple(Arm(name, {"arm": name}, (f"arm={name}",)) for name in ARMS),
        effects=(Effect(ARMS[1], {ARMS[1]: 1.0, ARMS[0]: -1.0}),),
        command="mmclf study=made_up output_dir=/home/me data.root=/data/mine",
        data="d1675700ffee",
    )
    log = tracker.start("study", {"mmclf.study": "made_up", "mmclf.study_key": "k"}, None)
    (folder / "parent").mkdir()
    asked.write(folder / "parent")
    log.artifacts(folder / "parent")
    log.end("FINISHED")
    return tracker.get([log.id])[0]


def track(
    tracker: Tracker,
    folder: Path,
    parent: str | None = None,
    cell: tuple[str, int] = ("plain", 0),
    *,
    wrong: float = 0.2,
    group_size: int | None = None,
    curves: Literal["epoch/", ""] = "epoch/",
) -> TrackedRun:
    """A finished run that is wrong at a rate, its samples in groups of a size.

    Without one its files tell no groups, as they once did not. Its curves are tracked under
    `epoch/`, or as runs once did: under the metrics' own names, whose last step then is the best
    epoch's.
    """
    target = folder / f"{cell[0]}-{cell[1]}"
    scores = _write(target, wrong, group_size)
    tags = {"mmclf.arm": cell[0], "mmclf.seed": str(cell[1]), "mmclf.vision": "resnet18"}
    tags |= {f"mmclf.samples.{part}": str(size) for part, size in SIZES.items()}
    log = tracker.start(f"{cell[0]}, seed={cell[1]}", tags, parent)
    keys = [f"{part}/{name}" for part in ("train", "val") for name in ("loss", "f1_samples")]
    final = dict.fromkeys(keys, 0.75) | {"time/cold_s": 3.0, "time/wall_s": 2.0, "test/map": 0.5}
    if curves:
        epochs = range(1, EPOCHS + 1)
        log.curves({epoch: dict.fromkeys(keys, epoch / 4) for epoch in epochs})
        log.metrics(final | scores)
    else:
        _track_as_once(log.id, tracker.uri, keys, final | scores)
    log.artifacts(target)
    log.end("FINISHED")
    return tracker.get([log.id])[0]


def _track_as_once(run: str, uri: str, keys: Sequence[str], final: Mapping[str, float]) -> None:
    """The curves below the metrics' own names, and the final values at the step after them."""
    client = MlflowClient(uri)
    for epoch in range(1, EPOCHS + 1):
        for key in keys:
            client.log_metric(run, key, epoch / 4, step=epoch)
    for key, value in final.items():
        client.log_metric(run, key, value, step=EPOCHS + 1)


def shares(count: int) -> Floats:
    """Each label's share of so many samples."""
    return np.asarray([1, 7, count // 2]) / count


def _write(target: Path, wrong: float, group_size: int | None) -> dict[str, float]:
    """The artifacts, and the test set's scores."""
    for name in ("predictions", "model", "figures"):
        (target / name).mkdir(parents=True)
    scores: dict[str, float] = {}
    for part, count in (("val", VAL), ("test", TEST)):
        labels = (np.random.default_rng(count).random((count, len(LABELS))) < 0.4).astype(np.uint8)
        flipped = np.random.default_rng([count, 1]).random(labels.shape) < wrong
        predicted = np.where(flipped, 1 - labels, labels).astype(np.uint8)
        logits = np.where(predicted == 1, 2.0, -2.0).astype(np.float32)
        ids = np.asarray([f"{part}{number}" for number in range(count)])
        arrays = {"ids": ids, "logits": logits, "labels": labels}
        if group_size is not None:
            arrays["groups"] = np.arange(count) // group_size
        path = target / "predictions" / f"{part}.npz"
        np.savez(path, **arrays)  # type: ignore[arg-type]  # of its own keyword, a bool
        scores = {f"test/{key}": value for key, value in set_scores(labels, predicted).items()}
    scores |= {f"{key}_{rule}": scores[key] for key in [*scores] for rule in ("at_0.5", "fitted")}
    scores |= {f"test/f1_label/{name}": 0.5 for name in LABELS}
    settings = {"thresholds": [0.5] * len(LABELS), "empty": "none", "label_names": LABELS}
    (target / "model" / "model.json").write_text(json.dumps(settings))
    of = {"shares": {part: shares(count).tolist() for part, count in SIZES.items()}}
    (target / "figures" / "label_shares.json").write_text(json.dumps(of))
    return scores
