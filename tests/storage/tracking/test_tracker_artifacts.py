"""Artifacts of a run are fetched, or what is missing is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from opened_tracker import open_tracker

from mmclf.errors import InputError


def test_artifacts_are_fetched_without_asking_for_the_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = open_tracker(tmp_path)
    log = tracker.start("run", {}, None)
    (tmp_path / "own" / "part").mkdir(parents=True)
    (tmp_path / "own" / "part" / "x.txt").write_text("held")
    log.artifacts(tmp_path / "own")
    (run,) = tracker.runs()
    elsewhere = replace(run, artifact_uri="")
    copy = tracker.fetch(elsewhere, "part/x.txt", tmp_path / "first")
    assert copy.read_text() == "held"
    monkeypatch.setattr(tracker.client, "get_run", None)
    copy = tracker.fetch(run, "part/x.txt", tmp_path / "second")
    assert copy == tmp_path / "second" / "part" / "x.txt"
    assert copy.read_text() == "held"
    for name in ("../../../mlflow.db", "part/y.txt"):
        with pytest.raises(InputError):
            tracker.fetch(run, name, tmp_path / "third")


def test_artifacts_are_fetched_or_the_run_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "files" / "model").mkdir(parents=True)
    (tmp_path / "files" / "model" / "a.txt").write_text("kept")
    tracker = open_tracker(tmp_path)
    with tracker.run("full", {}, None) as log:
        log.artifacts(tmp_path / "files")
    (run,) = tracker.get([log.id])
    (tmp_path / "here").mkdir()
    capfd.readouterr()
    folder = tracker.fetch(run, "model", tmp_path / "here")
    assert folder == tmp_path / "here" / "model"
    assert (folder / "a.txt").read_text() == "kept"
    assert capfd.readouterr().err == ""
    with pytest.raises(InputError, match=rf"{run.id} \(FINISHED\) .*'other'"):
        tracker.fetch(run, "other", tmp_path / "here")
    with pytest.raises(ArithmeticError), tracker.run("bad", {}, None) as log:
        raise ArithmeticError
    with pytest.raises(InputError, match=r"\(FAILED\) .*'model'.*finished"):
        tracker.fetch(tracker.get([log.id])[0], "model", tmp_path / "here")
