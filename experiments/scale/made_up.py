"""A study of very many finished runs, made up: its first seed is run, the others are copies.

A copy has all rows of the run that it is of, in sqlite, and the artifacts that a report reads, with
other predictions and the metrics that these have.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from mlflow.utils.file_utils import local_file_uri_to_path

from mmclf.cli.main import main
from mmclf.evaluation.metrics import mean_average_precision, set_scores
from mmclf.evaluation.scores import probabilities_of
from mmclf.evaluation.threshold_search import best_global
from mmclf.evaluation.thresholds import decide
from mmclf.storage.store.arrays import load_arrays
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.arms import compose_study
from mmclf.studies.fingerprint import study_fingerprint
from mmclf.studies.parent import find_parent
from mmclf.studies.run import study_definition

CONFIGS = Path(__file__).parent  # holds the group `study`
NAME = "wide"
MOVE = 0.15  # standard deviation, in logits, by which copies differ from what they are of
TABLES = ("runs", "params", "metrics", "latest_metrics", "tags")


def words(folder: Path, seeds: int) -> list[str]:
    """The arguments of a command on the study of 20 arms with so many seeds."""
    return [
        f"study={NAME}",
        f"study.seeds={seeds}",
        "data=demo",
        f"output_dir={folder}",
        "--config-dir",
        str(CONFIGS),
    ]


def tracker_of(folder: Path) -> Tracker:
    """The database of a folder."""
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)


def make(folder: Path, seeds: int) -> None:
    """Make the study in a folder, or give one that is there more seeds."""
    if main(words(folder, 1)) != 0:
        raise SystemExit("the first seed failed")
    tracker, parent = widen(folder, seeds)
    runs = tracker.children(parent.id)
    done = {(run.tags["mmclf.arm"], int(run.tags["mmclf.seed"])) for run in runs}
    database = sqlite3.connect(folder / "mlflow.db")
    for run in [run for run in runs if run.tags["mmclf.seed"] == "0"]:
        left = [seed for seed in range(seeds) if (run.tags["mmclf.arm"], seed) not in done]
        for rows in _copies(tracker, run, database, left):
            for table, values in rows:
                marks = ", ".join("?" * len(values[0]))
                database.executemany(f"INSERT INTO {table} VALUES ({marks})", values)  # noqa: S608
        database.commit()
    database.close()


def widen(folder: Path, seeds: int) -> tuple[Tracker, TrackedRun]:
    """The tracker, and the parent run, of which the definition now has so many seeds."""
    given = words(folder, seeds)[:-2]
    planned = compose_study(given, CONFIGS)
    fingerprint = study_fingerprint(planned)
    tracker = tracker_of(folder)
    parent = find_parent(tracker, planned, fingerprint)
    assert parent is not None
    definition = study_definition(planned, " ".join(["mmclf", *given]), fingerprint.data)
    with tempfile.TemporaryDirectory() as name:
        definition.write(Path(name))
        tracker.log_of(parent.id).artifacts(Path(name))
    return tracker, parent


Rows = Sequence[tuple[str, list[tuple[object, ...]]]]


def _copies(
    tracker: Tracker, run: TrackedRun, database: sqlite3.Connection, seeds: Sequence[int]
) -> Iterator[Rows]:
    """The rows of a copy of a run for each seed, whose artifacts are then written."""
    source = Path(local_file_uri_to_path(tracker.client.get_run(run.id).info.artifact_uri))
    parts = {part: load_arrays(source / "predictions" / f"{part}.npz") for part in ("val", "test")}
    settings = json.loads((source / "model" / "model.json").read_text())
    columns = {
        table: [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        for table in TABLES
    }
    held = {
        table: database.execute(
            f"SELECT * FROM {table} WHERE run_uuid = ?",  # noqa: S608
            (run.id,),
        ).fetchall()
        for table in TABLES
    }
    for seed in seeds:
        own = uuid.uuid4().hex
        target = source.parent.parent / own / source.name
        metrics = _write(parts, settings, source, target, np.random.default_rng([seed, 7]))
        rows = []
        for table in TABLES:
            changed = [
                _changed(dict(zip(columns[table], row, strict=True)), run.id, own, seed, metrics)
                for row in held[table]
            ]
            rows.append((table, changed))
        yield rows


def _changed(
    row: dict[str, object], old: str, own: str, seed: int, metrics: dict[str, float]
) -> tuple[object, ...]:
    """A row of a copy: with its own id, name, seed and metrics."""
    row = {
        key: value.replace(old, own) if isinstance(value, str) else value
        for key, value in row.items()
    }
    if row.get("key") in ("seed", "mmclf.seed"):
        row["value"] = str(seed)
    if row.get("key") in metrics:
        row["value"] = metrics[str(row["key"])]
    for column in ("name", "value"):
        if isinstance(row.get(column), str):
            row[column] = str(row[column]).replace("seed=0", f"seed={seed}")
    return tuple(row.values())


def _write(
    parts: dict[str, dict[str, np.ndarray]],
    settings: dict[str, object],
    source: Path,
    target: Path,
    chance: np.random.Generator,
) -> dict[str, float]:
    """Write the artifacts that a report reads; the metrics that they give."""
    for name in ("predictions", "model", "figures"):
        (target / name).mkdir(parents=True)
    moved = {}
    for part, arrays in parts.items():
        logits = arrays["logits"]
        noise = chance.normal(0, MOVE, logits.shape).astype(logits.dtype)
        moved[part] = arrays | {"logits": logits + noise}
        np.savez(target / "predictions" / f"{part}.npz", **moved[part])
    shutil.copy(source / "model" / "model.json", target / "model")
    shutil.copy(source / "figures" / "label_shares.json", target / "figures")
    labels, empty = moved["test"]["labels"], settings["empty"]
    probabilities = {part: probabilities_of(of["logits"]) for part, of in moved.items()}
    width = labels.shape[1]
    fitted = best_global(probabilities["val"], moved["val"]["labels"], empty, "samples")
    by_rule = {"": settings["thresholds"], "_at_0.5": [0.5] * width, "_fitted": [fitted] * width}
    metrics = {"test/map": mean_average_precision(labels, probabilities["test"])}
    for rule, thresholds in by_rule.items():
        sets = decide(probabilities["test"], np.asarray(thresholds), empty)
        metrics |= {f"test/{key}{rule}": of for key, of in set_scores(labels, sets).items()}
    return metrics
