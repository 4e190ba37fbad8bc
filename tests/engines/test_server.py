"""MLflow's server on PostgreSQL as `make server` runs it: passwords, artifacts, kills, moves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from local_server import LocalServer
from postgres_engine import programs

from mmclf.cli.main import main
from mmclf.storage.tracking import TrackedRun, Tracker

pytestmark = pytest.mark.engine

SMALL = ("data.train=60", "data.test=20", "trainer.epochs=1", "head.hidden=4", "device=cpu")
WAIT_S = 240.0


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    programs()
    with LocalServer.started("postgresql") as made:
        yield made


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A command in a process of its own, which prints into a file in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "out").open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "mmclf", *words, f"output_dir={folder}"],
            stdout=out,
            stderr=out,
        )


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_without_the_password_nothing_is_run(
    server: LocalServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "of somebody else")
    assert main([*SMALL, f"tracking.uri={server.address}", f"output_dir={tmp_path}"]) == 2
    assert "MLFLOW_TRACKING_PASSWORD" in capsys.readouterr().err


@pytest.mark.slow
def test_many_runs_at_once_outlive_a_server_that_is_killed_and_started_again(
    server: LocalServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    many = 32 if request.config.getoption("--soak") else 8
    tracking = (f"tracking.uri={server.address}", "tracking.experiment=many")
    long = ("trainer.epochs=150", "trainer.patience=null")
    processes = [
        start(tmp_path / str(seed), *SMALL, *long, f"seed={seed}", *tracking)
        for seed in range(many)
    ]

    tracker = Tracker(server.address, "many", tmp_path)

    def runs() -> list[TrackedRun]:
        return tracker.runs()

    until(lambda: len(runs()) == many)
    assert "RUNNING" in {run.status for run in runs()}
    server.kill()
    time.sleep(5)
    server.start()
    # Each takes a core for half a minute.
    assert [process.wait(many / 8 * WAIT_S) for process in processes] == [0] * many
    found = runs()
    assert Counter(run.status for run in found) == {"FINISHED": many}
    for run in found:
        history = tracker.client.get_metric_history(run.id, "epoch/train/loss")
        assert [point.step for point in history] == [*range(1, 151)]
    assert [*tmp_path.glob("*/unsent/*")] == []
    assert [*tmp_path.glob("*/artifacts")] == []


@pytest.mark.slow
def test_a_study_goes_on_elsewhere_without_the_first_disk(
    server: LocalServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracking = (f"tracking.uri={server.address}", "tracking.experiment=moved")
    study = ("study=threshold", "study.seeds=1", *SMALL, "vision=none", "text=tfidf", *tracking)
    tracker = Tracker(server.address, "moved", tmp_path)

    def finished() -> list[TrackedRun]:
        return [run for run in tracker.runs() if run.parent and run.status == "FINISHED"]

    first = start(tmp_path / "first", *study)
    until(lambda: first.poll() is not None or len(finished()) >= 2)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    before = {run.id for run in finished()}
    assert 2 <= len(before) < 7
    shutil.rmtree(tmp_path / "first")

    second = start(tmp_path / "second", *study)
    assert second.wait(WAIT_S) == 0, (tmp_path / "second" / "out").read_text()
    runs = [run for run in tracker.runs() if run.parent is not None and run.status == "FINISHED"]
    assert len({run.tags["mmclf.arm"] for run in runs}) == len(runs) == 7
    assert before <= {run.id for run in runs}
    shutil.rmtree(tmp_path / "second")

    third = (*tracking, f"output_dir={tmp_path}/third")
    assert main(["report", "threshold", "--format", "csv", *third]) == 0
    table = capsys.readouterr().out.splitlines()
    assert len(table) == 1 + 7
    predicted, root = tmp_path / "predicted.csv", tmp_path / "root"
    root.mkdir()
    (root / "test.csv").write_text('ImageID,Caption\n0.jpg,"a dog"\n')
    given = ["predict", min(before), "--root", str(root), "--out", str(predicted)]
    assert main([*given, *third]) == 0
    assert predicted.read_text().startswith("ImageID,Labels\n0.jpg,")
