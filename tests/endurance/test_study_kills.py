"""Studies that are killed at random moments: the same command runs what is missing, and no more."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from endurance_runs import Scale, Start, kill_at
from hostile_count import Attempts

from mmclf.storage.tracking import TrackedRun, Tracker

pytestmark = [pytest.mark.slow, pytest.mark.hostile("kills of studies")]

ARMS, SEEDS = 3, 2


def children(folder: Path) -> list[TrackedRun]:
    tracker = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)
    (parent,) = [run for run in tracker.runs() if run.parent is None]
    return tracker.children(parent.id)


def place(run: TrackedRun) -> tuple[str, str]:
    return run.tags["mmclf.arm"], run.tags["mmclf.seed"]


def scores(runs: list[TrackedRun]) -> dict[tuple[str, str], dict[str, float]]:
    return {
        place(run): {k: v for k, v in run.metrics.items() if k.startswith(("val/", "test/"))}
        for run in runs
        if run.status == "FINISHED"
    }


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, start_study: Start
) -> tuple[dict[tuple[str, str], dict[str, float]], float]:
    """The scores of a study that nobody kills, and the seconds that it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    process = start_study(folder)
    process.join()
    assert process.exitcode == 0, (folder / f"{process.pid}.log").read_text()
    return scores(children(folder)), time.monotonic() - started


def test_a_killed_study_runs_no_finished_arm_again_and_loses_none(
    tmp_path: Path,
    start_study: Start,
    scale: Scale,
    attempts: Attempts,
    undisturbed: tuple[dict[tuple[str, str], dict[str, float]], float],
) -> None:
    expected, seconds = undisturbed
    assert len(expected) == ARMS * SEEDS
    chance = random.Random(0)
    for attempt in range(scale.studies):
        folder = tmp_path / str(attempt)

        def start_anew(folder: Path = folder) -> BaseProcess:
            shutil.rmtree(folder, ignore_errors=True)
            return start_study(folder)

        # Killed twice, the second time when some is there already.
        first, second = ((attempt + chance.random()) / (scale.studies + 1) for _ in range(2))
        seconds = kill_at(start_anew, first, seconds)
        kill_at(partial(start_study, folder), second / 2, seconds)
        before = {run.id for run in _finished(folder)}
        with attempts.counted(2):
            last = start_study(folder)
            last.join()
            assert last.exitcode == 0, (folder / f"{last.pid}.log").read_text()
            runs = children(folder)
            assert scores(runs) == expected
            assert Counter(place(run) for run in runs if run.status == "FINISHED") == dict.fromkeys(
                expected, 1
            )
            assert before <= {run.id for run in runs if run.status == "FINISHED"}
            assert {run.status for run in runs} <= {"FINISHED", "KILLED"}
        shutil.rmtree(folder)


def _finished(folder: Path) -> list[TrackedRun]:
    if not (folder / "mlflow.db").is_file():
        return []
    tracker = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)
    return [run for run in tracker.runs() if run.parent is not None and run.status == "FINISHED"]
