"""A study that several processes share, some of which are killed: each cell is finished once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from endurance_runs import Scale

from mmclf.storage.tracking import TrackedRun, Tracker

pytestmark = pytest.mark.slow

STUDY = """\
# @package _global_
defaults:
  - override /hydra/sweeper: study
study:
  question: Which rate?
  design: grid
  factors: {{optimizer.lr: [{rates}]}}
  seeds: {seeds}
"""
SMALL = (
    *("vision=none", "text=tfidf", "device=cpu", "head.hidden=16"),
    *("data.train=60", "data.test=20", "trainer.epochs=2"),
)


def start(folder: Path, conf: Path, number: int) -> subprocess.Popen[bytes]:
    """A process that runs the study, with a store and an output folder of its own."""
    places = [f"output_dir={folder}/{number}", f"tracking.uri=sqlite:///{folder}/mlflow.db"]
    command = ["--config-dir", str(conf), "study=rates", *SMALL, *places]
    with (folder / f"{number}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "mmclf", *command], stdout=log, stderr=subprocess.STDOUT
        )


def children(folder: Path) -> list[TrackedRun]:
    tracker = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder, create=False)
    (parent,) = [run for run in tracker.runs() if run.parent is None]
    return tracker.children(parent.id)


def test_each_cell_is_finished_once_though_processes_are_killed(
    tmp_path: Path, scale: Scale
) -> None:
    many = scale.sharing
    conf = tmp_path / "conf"
    (conf / "study").mkdir(parents=True)
    rates = ", ".join(str(0.001 * (1 + number)) for number in range(many))
    (conf / "study" / "rates.yaml").write_text(STUDY.format(rates=rates, seeds=many))
    processes = {number: start(tmp_path, conf, number) for number in range(many)}
    chance, killed = random.Random(0), 0
    while killed < many - 1 and any(process.poll() is None for process in processes.values()):
        time.sleep(chance.uniform(2, 8))
        number = chance.randrange(1, many)  # the first lives
        if processes[number].poll() is None:
            os.kill(processes[number].pid, signal.SIGKILL)
            processes[number].wait()
            processes[number] = start(tmp_path, conf, number)
            killed += 1
    for number, process in processes.items():
        assert process.wait() == 0, (tmp_path / f"{number}.log").read_text()
    runs = children(tmp_path)
    finished = [run for run in runs if run.status == "FINISHED"]
    cells = Counter((run.tags["mmclf.arm"], run.tags["mmclf.seed"]) for run in finished)
    assert len(cells) == many * many
    assert set(cells.values()) == {1}
    # What a killed process was at is the only thing that was begun twice.
    assert {run.status for run in runs} <= {"FINISHED", "KILLED"}
    assert len(runs) - len(finished) <= killed
