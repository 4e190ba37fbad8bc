"""What a run logs while its database is locked: kept, sent in order later, or written to files."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from mmclf.cli.main import main
from mmclf.errors import InputError, UnreachableError
from mmclf.storage.tracking import Tracker, outbox, send_unsent
from mmclf.storage.tracking.logged import (
    End,
    Logged,
    Metrics,
    Params,
    to_json,
)
from mmclf.storage.tracking.unsent import read_unsent


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "RETRY_S", 0.0)
    monkeypatch.setattr(outbox, "WAIT_S", 0.05)


@pytest.fixture(autouse=True)
def soon_locked() -> Iterator[None]:
    """MLflow has sqlite wait 20 s for a lock, whatever its address asks for: here a moment."""

    def shorter(_: object, __: object, statement: str, values: Any, *___: object) -> Any:
        return statement.replace("busy_timeout = 20000", "busy_timeout = 50"), values

    event.listen(Engine, "before_cursor_execute", shorter, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", shorter)


def tracker_in(folder: Path, patience_s: float = 60.0) -> Tracker:
    """A tracker that waits for a lock for a moment alone."""
    uri = f"sqlite:///{folder}/mlflow.db?timeout=0.05"
    return Tracker(uri, "mmclf", folder, patience_s=patience_s)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another process holds the database."""
    connection = sqlite3.connect(folder / "mlflow.db", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "figures").mkdir(parents=True)
    (folder / "figures" / "a.txt").write_text("drawn")
    return folder


@pytest.mark.hostile("servers and databases")
def test_what_is_logged_meanwhile_is_sent_when_the_database_is_free(
    tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = tracker_in(tmp_path)
    log = tracker.start("a", {}, None)
    log.curves({1: {"val/loss": 3.0}})
    with locked(tmp_path):
        log.curves({2: {"val/loss": 2.0}})
        log.params({"key": "x"})
        log.artifacts(files)
        (files / "figures" / "a.txt").unlink()
    log.curves({3: {"val/loss": 1.0}})
    log.end("FINISHED")
    (run,) = tracker.runs()
    assert tracker.history(log.id, "epoch/val/loss") == [(1, 3.0), (2, 2.0), (3, 1.0)]
    assert (run.status, run.params) == ("FINISHED", {"key": "x"})
    (drawn,) = tmp_path.glob("artifacts/*/artifacts/figures/a.txt")
    assert drawn.read_text() == "drawn"
    assert not list((tmp_path / "unsent").iterdir())
    first, last = capsys.readouterr().err.splitlines()
    assert "does not answer (database is locked)" in first.replace("[", "(")
    assert last.endswith("answers again: what waited was sent")


@pytest.mark.hostile("servers and databases")
def test_a_run_waits_at_its_end_as_long_as_its_patience_lasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = tracker_in(tmp_path)
    log = tracker.start("a", {}, None)
    lock = locked(tmp_path)
    lock.__enter__()
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            lock.__exit__(None, None, None)

    monkeypatch.setattr(time, "sleep", wait)
    log.metrics({"test/f1": 0.5})
    log.end("FINISHED")
    (run,) = tracker.runs()
    assert (run.status, run.metrics) == ("FINISHED", {"test/f1": 0.5})
    assert len(waited) == 2


@pytest.mark.hostile("servers and databases")
def test_after_that_it_is_written_to_files_and_sent_by_a_command(
    tmp_path: Path, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = tracker_in(tmp_path, patience_s=0.0)
    log = tracker.start("a", {}, None)
    with locked(tmp_path):
        log.params({"key": "x"})
        log.artifacts(files)
        log.curves({1: {"val/loss": 2.0}})
        log.end("FINISHED")
    (line,) = [
        splitline for splitline in capsys.readouterr().err.splitlines() if "--send" in splitline
    ]
    assert f"mmclf runs --send {log.id}" in line
    kept = tmp_path / "unsent" / f"{log.id}.jsonl"
    assert [*map(next, map(iter, map(json.loads, kept.read_text().splitlines())))] == [
        *("params", "folder", "metrics", "status")
    ]
    assert tracker.runs()[0].status == "RUNNING"

    send = ["runs", "--send", log.id, f"output_dir={tmp_path}"]
    assert main(send) == 0
    assert capsys.readouterr().out == f"run {log.id}: sent what it had logged, in 4 parts\n"
    (run,) = tracker.runs()
    assert (run.status, run.params, run.metrics["epoch/val/loss"]) == (
        "FINISHED",
        {"key": "x"},
        2.0,
    )
    (drawn,) = tmp_path.glob("artifacts/*/artifacts/figures/a.txt")
    assert drawn.read_text() == "drawn"
    assert not list((tmp_path / "unsent").iterdir())
    assert main(send) == 2
    assert "there is no" in capsys.readouterr().err


def test_what_is_sent_twice_is_there_once(tmp_path: Path) -> None:
    tracker = tracker_in(tmp_path)
    log = tracker.start("a", {}, None)
    folder = tmp_path / "unsent"
    folder.mkdir()
    for _ in range(2):
        lines: list[Logged] = [
            Metrics([("epoch/val/loss", 1.0, 5, 1)]),
            Params([("a", "b")]),
            End("FINISHED", 9),
        ]
        (folder / f"{log.id}.jsonl").write_text("".join(f"{to_json(line)}\n" for line in lines))
        assert send_unsent(tracker, log.id) == 3
    points = tracker.client.get_metric_history(log.id, "epoch/val/loss")
    assert [(point.step, point.value, point.timestamp) for point in points] == [(1, 1.0, 5)]


@pytest.mark.hostile("servers and databases")
def test_a_killed_run_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Not of the module itself: other threads may wait.
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: pytest.fail("it waited"))
    monkeypatch.setattr(outbox, "time", clock)
    tracker = tracker_in(tmp_path)

    def interrupted() -> None:
        with tracker.run("a", {}, None), locked(tmp_path):
            log_ids.append(tracker.client.tracking_uri)
            raise KeyboardInterrupt

    log_ids: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    # The lock ended first: it is KILLED there.
    assert tracker.runs()[0].status == "KILLED"
    log = tracker.start("b", {}, None)
    with locked(tmp_path):
        log.curves({1: {"val/loss": 2.0}})
        log.end("KILLED")
    *_, end = read_unsent(tmp_path / "unsent", log.id)
    assert isinstance(end, End)
    assert end.status == "KILLED"


def test_what_the_database_refuses_is_raised_and_not_kept(tmp_path: Path) -> None:
    tracker = tracker_in(tmp_path)
    log = tracker.start("a", {}, None)
    log.params({"key": "x"})
    with pytest.raises(Exception, match="key"):
        log.params({"key": "another"})
    log.metrics({"f1": 1.0})
    log.end("FAILED")
    (run,) = tracker.runs()
    assert (run.status, run.metrics) == ("FAILED", {"f1": 1.0})


@pytest.mark.hostile("servers and databases")
def test_a_locked_database_is_answered_before_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker_in(tmp_path)
    with locked(tmp_path):
        with pytest.raises(UnreachableError, match="database is locked"):
            tracker_in(tmp_path)
        uri = f"tracking.uri=sqlite:///{tmp_path}/mlflow.db?timeout=0.05"
        assert main(["runs", uri, f"output_dir={tmp_path}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mmclf: tracking.uri=sqlite:///")


@pytest.mark.hostile("servers and databases")
def test_a_file_that_is_no_database_is_answered(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database " * 1000)
    with pytest.raises(InputError, match="file is not a database"):
        tracker_in(tmp_path)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("postgresql://me@127.0.0.1:1/x", "needs a driver|takes no connection"),
        ("mysql+nodriver://me@127.0.0.1:1/x", "needs a driver|takes no connection"),
        ("http://127.0.0.1:1", "does not answer"),
    ],
)
@pytest.mark.hostile("servers and databases")
def test_a_server_that_is_not_there_is_answered(tmp_path: Path, uri: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Tracker(uri, "mmclf", tmp_path)
