"""Predictions and settings among a run's artifacts that are not as a run leaves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tracked_runs import start, track, tracker_in

from mmclf.cli.main import main
from mmclf.errors import ArtifactError
from mmclf.studies.report.artifacts.artifact_files import ModelSettings, read_columns, read_json

COLUMNS: dict[str, Any] = {
    "ids": np.array(["a", "b"]),
    "groups": np.array([0, 1]),
    "logits": np.array([[1.0, -1.0, 0.0]] * 2, np.float32),
    "labels": np.array([[1, 0, 0]] * 2, np.uint8),
}


def saved(path: Path, **columns: Any) -> Path:
    kept = {name: value for name, value in (COLUMNS | columns).items() if value is not None}
    np.savez_compressed(path, **kept)
    return path


def test_columns_of_any_run_are_read(tmp_path: Path) -> None:
    actual = read_columns(saved(tmp_path / "a.npz"))
    assert all(np.array_equal(actual[name], COLUMNS[name]) for name in COLUMNS)
    earlier = read_columns(saved(tmp_path / "b.npz", groups=None))
    assert earlier["groups"].tolist() == [0, 1]
    empty = {name: value[:0] for name, value in COLUMNS.items()}
    assert len(read_columns(saved(tmp_path / "c.npz", **empty))["ids"]) == 0


@pytest.mark.parametrize(
    "columns",
    [
        *({name: None} for name in ("ids", "logits", "labels")),
        {"ids": np.array([1, 2])},
        {"ids": np.array(["a"])},
        {"ids": np.array([["a"], ["b"]])},
        {"groups": np.array([0.5, 1.0])},
        {"groups": np.array([0])},
        {"logits": np.array(["a", "b"])},
        {"logits": np.zeros((2, 2), np.float32)},
        {"logits": np.zeros((2, 3), np.complex64)},
        {"logits": np.zeros((2, 3, 1), np.float32)},
        {"logits": np.zeros((2, 0), np.float32), "labels": np.zeros((2, 0), np.uint8)},
        {"labels": np.full((2, 3), 2, np.uint8)},
        {"labels": np.full((2, 3), -1)},
        {"labels": np.full((2, 3), 0.5)},
    ],
)
@pytest.mark.hostile("runs of others")
def test_columns_that_no_run_leaves_are_damaged(tmp_path: Path, columns: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError, match=r"a\.npz is damaged"):
        read_columns(saved(tmp_path / "a.npz", **columns))


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "null", "{}", "[" * 100_000, '{"thresholds": 1}'),
        '{"thresholds": [], "empty": "none", "label_names": []}',
        '{"thresholds": [NaN], "empty": "none", "label_names": ["a"]}',
        '{"thresholds": ["x"], "empty": "none", "label_names": ["a"]}',
        '{"thresholds": [0.5], "empty": 1, "label_names": ["a"]}',
        '{"thresholds": [0.5], "empty": "none", "label_names": [1]}',
    ],
)
@pytest.mark.hostile("runs of others")
def test_settings_that_no_run_leaves_are_damaged(tmp_path: Path, content: str) -> None:
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(ArtifactError, match=r"model\.json is damaged"):
        read_json(tmp_path / "model.json", ModelSettings)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("figures/label_shares.json", b"[]"),
        ("figures/label_shares.json", b'{"shares": {"train": [0.5]}}'),
        ("figures/label_shares.json", b"\xff\xfe"),
        ("predictions/val.npz", b"PK\x03\x04 cut off"),
        ("model/model.json", b"\0"),
    ],
)
@pytest.mark.hostile("runs of others")
def test_a_report_on_damaged_artifacts_is_a_line_and_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes
) -> None:
    tracker = tracker_in(tmp_path)
    parent = start(tracker, tmp_path, (0,))
    run = track(tracker, tmp_path, parent.id)
    path = tmp_path / "artifacts" / run.id / "artifacts" / name
    assert path.is_file()
    path.write_bytes(content)
    status = main(["report", "made_up", f"output_dir={tmp_path}"])
    err = capsys.readouterr().err
    assert "not foreseen" not in err
    if name in ("model/model.json", "predictions/val.npz"):  # the run then counts as failed
        assert status == 0
    else:
        (line,) = err.splitlines()
        assert (status, "is damaged" in line) == (2, True)


@pytest.mark.hostile("runs of others")
def test_settings_of_another_number_of_labels_count_as_damaged(tmp_path: Path) -> None:
    tracker = tracker_in(tmp_path)
    parent = start(tracker, tmp_path, (0,))
    run = track(tracker, tmp_path, parent.id)
    path = tmp_path / "artifacts" / run.id / "artifacts" / "model" / "model.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"thresholds": [0.5]}))
    assert main(["report", "made_up", f"output_dir={tmp_path}"]) == 0
    assert "1 failed (seed 0)" in (tmp_path / "studies" / "made_up" / "results.md").read_text()
