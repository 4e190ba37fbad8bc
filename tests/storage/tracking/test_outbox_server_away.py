"""Runs whose MLflow server goes away, hangs, or is not there at all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow_server import Server

from mmclf.errors import UnreachableError
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.answers import HURRIED_S
from mmclf.storage.tracking.logged import End
from mmclf.storage.tracking.unsent import read_unsent
from mmclf.storage.waiting import CALL_S

pytestmark = pytest.mark.slow

ANSWERED_S = 20.0  # in which a server that is not there is answered
ENDED_S = 10.0  # in which a process has ended that was told to
SMALL = ("data.train=60", "data.test=20", "head.hidden=4", "vision=none", "text=tfidf")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    made = Server(folder)
    made.start()
    yield made
    made.stop()


def mmclf(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mmclf", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


@pytest.mark.hostile("servers and databases")
def test_what_is_logged_meanwhile_is_there_when_the_server_is_back(
    server: Server, tmp_path: Path
) -> None:
    tracker = Tracker(server.address, "mmclf", tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("kept")
    with tracker.run("a", {}, None) as log:
        log.curves({1: {"val/loss": 3.0}})
        server.stop()
        log.curves({2: {"val/loss": 2.0}})
        log.artifacts(tmp_path / "files")
        server.start()
        log.curves({3: {"val/loss": 1.0}})
    (run,) = tracker.runs()
    assert run.status == "FINISHED"
    assert tracker.history(run.id, "epoch/val/loss") == [(1, 3.0), (2, 2.0), (3, 1.0)]
    (tmp_path / "here").mkdir()
    assert tracker.fetch(run, "a.txt", tmp_path / "here").read_text() == "kept"


@pytest.mark.hostile("servers and databases")
def test_a_server_that_stays_away_leaves_files_that_are_sent_later(
    server: Server, tmp_path: Path
) -> None:
    tracker = Tracker(server.address, "mmclf", tmp_path, patience_s=2.0)
    with tracker.run("a", {}, None) as log:
        server.stop()
        log.curves({1: {"val/loss": 3.0}})
    with pytest.raises(UnreachableError):
        tracker.runs()
    server.start()
    words = (f"tracking.uri={server.address}", f"output_dir={tmp_path}")
    sent = mmclf("runs", "--send", log.id, *words)
    assert sent.communicate()[0].startswith(f"run {log.id}: sent")
    assert sent.returncode == 0
    (run,) = tracker.runs()
    assert (run.status, run.metrics) == ("FINISHED", {"epoch/val/loss": 3.0})


@pytest.mark.parametrize("is_held", [pytest.param(False, marks=pytest.mark.soak), True])
@pytest.mark.hostile("servers and databases")
def test_a_run_that_is_told_to_end_does_whatever_the_server_does(
    server: Server, tmp_path: Path, is_held: bool
) -> None:
    words = (f"tracking.uri={server.address}", f"output_dir={tmp_path}", "trainer.epochs=100000")
    process = mmclf(*SMALL, *words, "trainer.patience=null")
    tracker = Tracker(server.address, "mmclf", tmp_path)
    deadline = time.monotonic() + 120
    while not (runs := tracker.runs()) or not runs[0].metrics:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.5)
    server.hold() if is_held else server.stop()
    time.sleep(2)
    os.kill(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"mmclf runs --send {runs[0].id}" in err
    *_, end = read_unsent(tmp_path / "unsent", runs[0].id)
    assert isinstance(end, End)
    assert end.status == "KILLED"


@pytest.mark.parametrize("hangs", [pytest.param(False, marks=pytest.mark.soak), True])
@pytest.mark.hostile("servers and databases")
def test_a_server_that_is_not_there_at_the_start_is_answered_soon(
    tmp_path: Path, hangs: bool
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if hangs:
            listener.listen()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        process = mmclf(*SMALL, f"tracking.uri={address}", f"output_dir={tmp_path}")
        out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (2, "")
    assert err.startswith(f"mmclf: tracking.uri={address} does not answer (")
    assert "not foreseen" not in err


def test_the_waits_add_up_to_what_is_documented() -> None:
    # At the start a request, and then another one; at the end a run and its parent.
    assert 2 * CALL_S <= ANSWERED_S
    assert 2 * HURRIED_S < ENDED_S
