"""Runs and a shared study with PostgreSQL as the tracking store, without a server before it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from endurance_runs import Scale, StartCommand
from postgres_engine import postgres
from shared_study import run_shared

from mmclf.cli.main import main
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.leases import cell_of

pytestmark = pytest.mark.engine

IMPORTS_S = 10.0  # that several processes take to import MLflow at once
SMALL = ("data.train=60", "data.test=20", "trainer.epochs=1", "head.hidden=4")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    pytest.importorskip("psycopg", reason="pip install 'mmclf[postgres]'")
    with postgres() as address:
        yield address


def test_a_run_is_tracked_and_predicts(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracking = [f"tracking.uri={database}", f"output_dir={tmp_path}", "tracking.experiment=one"]
    assert main([*SMALL, *tracking]) == 0
    run_id = capsys.readouterr().out.split("run_id: ")[1].split()[0]
    (run,) = Tracker(database, "one", tmp_path).get([run_id])
    assert run.status == "FINISHED"
    assert {"test/f1_samples", "epoch/val/loss"} <= run.metrics.keys()
    assert (tmp_path / "artifacts" / run.id / "artifacts" / "model" / "model.json").is_file()
    assert main(["report", "--runs", run_id, "--format", "csv", *tracking]) == 0
    assert str(run.metrics["test/f1_samples"]) in capsys.readouterr().out


def test_of_many_that_want_a_cell_at_once_one_gets_it(database: str, tmp_path: Path) -> None:
    tracker = Tracker(database, "cells", tmp_path)
    parent = tracker.start("study", {}, None).id
    cells = [cell_of("bce", seed) for seed in range(20)]
    for cell in cells:
        with ThreadPoolExecutor(8) as pool:

            def want(number: int, cell: str = cell) -> bool:
                leases = tracker.leases(parent)
                return leases._write_once(f"lease.{cell}.1", f"host/boot-{number}/1/1/")

            assert sum(pool.map(want, range(8))) == 1
    assert tracker.leases(parent).attempts().keys() == set(cells)


@pytest.mark.slow
def test_two_that_begin_a_study_at_once_have_one_parent_and_finish_each_cell_once(
    database: str, tmp_path: Path, start_command: StartCommand, scale: Scale
) -> None:
    runs, killed = run_shared(start_command, tmp_path, database, "shared", scale.sharing)
    finished = [run for run in runs if run.status == "FINISHED"]
    cells = Counter((run.tags["mmclf.arm"], run.tags["mmclf.seed"]) for run in finished)
    assert len(cells) == scale.sharing**2
    assert set(cells.values()) == {1}
    assert {run.status for run in runs} <= {"FINISHED", "KILLED"}
    assert len(runs) - len(finished) <= killed


def test_the_tables_of_an_empty_database_are_made_by_one_of_those_that_start_at_once(
    database: str, tmp_path: Path
) -> None:
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
    empty = f"{database.rpartition('/')[0]}/empty"
    words = ("from pathlib import Path", "from mmclf.storage.tracking import Tracker")
    start = f"Tracker({empty!r}, 'one', Path({str(tmp_path)!r}))"
    code = "; ".join([*words, "input()", start])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    time.sleep(IMPORTS_S)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, "\n".join(errors)
    assert Tracker(empty, "one", tmp_path, create=False).runs() == []


def test_many_runs_at_once_are_all_tracked(database: str, tmp_path: Path, scale: Scale) -> None:
    many = 4 * scale.sharing
    tracking = [f"tracking.uri={database}", "tracking.experiment=many", f"output_dir={tmp_path}"]
    processes = [
        subprocess.Popen([sys.executable, "-m", "mmclf", *SMALL, f"seed={seed}", *tracking])
        for seed in range(many)
    ]
    assert [process.wait() for process in processes] == [0] * many
    runs = Tracker(database, "many", tmp_path).runs()
    assert Counter(run.status for run in runs) == {"FINISHED": many}
