"""Artifacts in this file system are read where they lie; others, and missing ones, are fetched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mmclf.errors import ArtifactError
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.storage.tracking.local_files import fetched_file


@pytest.fixture
def tracked(tmp_path: Path) -> tuple[Tracker, TrackedRun]:
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path / "with space")
    log = tracker.start("run", {}, None)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.txt").write_text("content")
    log.artifacts(tmp_path / "own")
    (run,) = tracker.get([log.id])
    return tracker, run


def test_a_local_file_is_not_copied(tracked: tuple[Tracker, TrackedRun], tmp_path: Path) -> None:
    tracker, run = tracked
    found = fetched_file(tracker, run, "a.txt", tmp_path / "copies")
    assert found.read_text() == "content"
    assert found.is_relative_to(tmp_path / "with space")
    assert not (tmp_path / "copies").exists()


@pytest.mark.parametrize("address", ["", "relative/folder", "s3://bucket/a", "file://other/a"])
def test_what_is_elsewhere_is_fetched(
    tracked: tuple[Tracker, TrackedRun],
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracker, run = tracked
    monkeypatch.setattr(Tracker, "fetch", lambda *_: tmp_path / "fetched")
    run = replace(run, artifact_uri=address)
    assert fetched_file(tracker, run, "a.txt", tmp_path) == tmp_path / "fetched"


def test_what_is_missing_is_an_error(tracked: tuple[Tracker, TrackedRun], tmp_path: Path) -> None:
    tracker, run = tracked
    with pytest.raises(ArtifactError):
        fetched_file(tracker, run, "b.txt", tmp_path / "copies")
