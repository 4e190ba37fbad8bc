"""Runs, sweeps and studies that run at once in one output folder, some runs being the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from endurance_runs import StartCommand

from mmclf.storage.store.maintenance import damaged
from mmclf.storage.tracking import Tracker

pytestmark = [pytest.mark.slow, pytest.mark.hostile("processes at once")]

SMALL = (
    *("vision=none", "text=tfidf", "device=cpu", "data.train=60", "data.test=20"),
    *("trainer.epochs=2", "head.hidden=16"),
)
SWEEP = ("-m", "loss=bce,focal", "seed=0,1", *SMALL)
SWEEPS = (SWEEP, SWEEP)  # the same runs
FUSIONS = ("study=fusion", "study.factors.fusion=[concat,sum,gated]")
STUDIES = tuple((*study, "study.seeds=1", *SMALL) for study in (FUSIONS, ("study=threshold",)))
CHILDREN = Counter({4: 2, 3: 1, 7: 1})
PROCESSES = 8


def test_two_sweeps_and_two_studies_at_once_are_all_there(
    tmp_path: Path, start_command: StartCommand
) -> None:
    processes = [start_command(tmp_path, words) for words in (*SWEEPS, *STUDIES)]
    for process in processes:
        process.join()
    logs = [(tmp_path / f"{process.pid}.log").read_text() for process in processes]
    assert [process.exitcode for process in processes] == [0] * 4, "\n".join(logs)
    assert not [log for log in logs if "locked" in log or "not foreseen" in log]
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    runs = tracker.runs()
    assert {run.status for run in runs} == {"FINISHED"}
    parents = [run.id for run in runs if run.parent is None]
    counts = Counter(len(tracker.children(parent)) for parent in parents)
    assert counts == CHILDREN
    same = {
        (run.tags["mmclf.arm"], run.tags["mmclf.seed"]): set[float]()
        for run in runs
        if run.parent is not None
    }
    for run in runs:
        if run.parent is not None:
            same[run.tags["mmclf.arm"], run.tags["mmclf.seed"]].add(run.metrics["test/f1_samples"])
    assert all(len(scores) == 1 for scores in same.values())
    assert not list(damaged(tmp_path / "store"))
    pages = {page.parent.name: page.read_text() for page in tmp_path.glob("studies/*/index.html")}
    assert pages.keys() == {"fusion", "threshold"}
    assert all(page.rstrip().endswith("</html>") for page in pages.values())


def test_one_study_that_is_started_twice_is_shared(
    tmp_path: Path, start_command: StartCommand
) -> None:
    processes = [start_command(tmp_path, STUDIES[0]) for _ in range(2)]
    for process in processes:
        process.join()
    logs = [(tmp_path / f"{process.pid}.log").read_text() for process in processes]
    assert [process.exitcode for process in processes] == [0, 0], "\n".join(logs)
    runs = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path).runs()
    assert {run.status for run in runs} == {"FINISHED"}
    assert sorted(Counter(run.parent is None for run in runs).items()) == [(False, 3), (True, 1)]


@pytest.mark.soak  # tests/storage/tracking/test_tracker.py begins runs at once
def test_eight_commands_at_once_on_a_fresh_database_are_all_there(
    tmp_path: Path, start_command: StartCommand
) -> None:
    racers = [start_command(tmp_path, (*SMALL, f"seed={seed}")) for seed in range(PROCESSES)]
    for racer in racers:
        racer.join()
    logs = [(tmp_path / f"{racer.pid}.log").read_text() for racer in racers]
    assert [racer.exitcode for racer in racers] == [0] * PROCESSES, "\n".join(logs)
    runs = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path).runs()
    assert sorted(run.tags["mmclf.seed"] for run in runs) == [*map(str, range(PROCESSES))]
    assert all(run.status == "FINISHED" and "test/f1_samples" in run.metrics for run in runs)
