"""What the start and the end of jobs cost in a study of so many cells: leases, written and read.

    claims.py CELLS FOLDER

The study's parent has the lease of each cell, ended and with a heartbeat, and a finished run of
each, made up as rows. A line of a Markdown table for each way: the CPU milliseconds of one claim by
reading the whole study, as a command does, of one by reading the cell, as a job does, and of one
heartbeat.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from made_up import tracker_of

from mmclf.storage.process_identity import this_process
from mmclf.storage.tracking.leases import cell_of
from mmclf.studies.cells import claim_cell, read_cells
from mmclf.studies.run_key import RunKey

TIMES = 5
ARM = "a"


def make(folder: Path, cells: int) -> str:
    """The id of the parent run of a study of so many finished cells."""
    folder.mkdir(parents=True, exist_ok=True)
    tracker = tracker_of(folder)
    parent = tracker.start("study", {}, None).id
    experiment = int(tracker.experiment_id)
    database = sqlite3.connect(folder / "mlflow.db")
    keys = [RunKey(ARM, seed) for seed in range(cells)]
    ids = {key: uuid.uuid4().hex for key in keys}
    database.executemany(
        "INSERT INTO runs (run_uuid, name, source_type, status, start_time, end_time,"
        " lifecycle_stage, artifact_uri, user_id, experiment_id)"
        " VALUES (?, 'run', 'LOCAL', 'FINISHED', 1, 2, 'active', '', '', ?)",
        [(run, experiment) for run in ids.values()],
    )
    tags: list[tuple[str, str, str]] = []
    for key, run in ids.items():
        tags += [("mmclf.arm", key.arm, run), ("mmclf.seed", str(key.seed), run)]
        tags += [("mlflow.parentRunId", parent, run)]
        tags += [(f"mmclf.lease.{cell_of(*key)}", "3", parent)]
    database.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", tags)
    database.executemany(
        "INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", _leases(keys, parent)
    )
    database.commit()
    database.close()
    return parent


def _leases(keys: list[RunKey], parent: str) -> Iterator[tuple[str, str, str]]:
    for key in keys:
        yield f"lease.{cell_of(*key)}.1", this_process(), parent
        yield f"lease.{cell_of(*key)}.1.end", "done", parent


def milliseconds(call: Callable[[int], object]) -> str:
    """The CPU and wall milliseconds of a call, on average, as cells of a row."""
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(TIMES):
        call(number)
    spent = time.process_time() - cpu, time.perf_counter() - wall
    return " | ".join(f"{1000 * of / TIMES:.1f}" for of in spent)


def main() -> None:
    """Make a study, and measure."""
    cells, folder = int(sys.argv[1]), Path(sys.argv[2])
    parent = make(folder, cells)
    tracker = tracker_of(folder)
    claim_cell(tracker, parent, RunKey("warm", 0))
    new = [RunKey("new", number) for number in range(TIMES)]
    ways: dict[str, Callable[[int], object]] = {
        "whole study": lambda number: read_cells(tracker, parent, [new[number]]),
        "one cell": lambda number: claim_cell(tracker, parent, new[number]),
        "a cell begun before": lambda number: claim_cell(tracker, parent, RunKey(ARM, number)),
        "heartbeat": lambda number: tracker.leases(parent).beat(cell_of(*new[number]), number),
    }
    for name, call in ways.items():
        print(f"| {name} | {cells} | {milliseconds(call)} | {os.getloadavg()[0]:.1f} |")


if __name__ == "__main__":
    main()
