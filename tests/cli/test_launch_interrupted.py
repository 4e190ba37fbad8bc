"""A run that is interrupted, in a process of its own: its exit status, and what is tracked."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from endurance_runs import StartCommand

from mmclf.storage.tracking import Tracker

pytestmark = pytest.mark.slow

ENDLESS = (
    *("data.train=60", "data.test=20", "vision=none", "text=tfidf", "head.hidden=16"),
    *("device=cpu", "trainer.epochs=100000"),
)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_killed_and_exits_130(
    tmp_path: Path, start_command: StartCommand, kind: signal.Signals
) -> None:
    process = start_command(tmp_path, ENDLESS)
    assert process.pid is not None
    log = tmp_path / f"{process.pid}.log"
    deadline = time.monotonic() + 120
    while not epochs_logged(tmp_path):
        assert process.exitcode is None, log.read_text()
        assert time.monotonic() < deadline
        process.join(0.1)
    os.kill(process.pid, kind)
    process.join(300)
    assert process.exitcode == 130, log.read_text()
    assert log.read_text().rstrip().endswith("interrupted")
    (run,) = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path).runs()
    assert run.status == "KILLED"


def epochs_logged(folder: Path) -> bool:
    file = folder / "mlflow.db"
    if not file.is_file():
        return False
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        try:
            return database.execute("SELECT 1 FROM metrics LIMIT 1").fetchone() is not None
        except sqlite3.OperationalError:  # its tables are being made
            return False
