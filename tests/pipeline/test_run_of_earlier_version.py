"""A run that version 0.1.0 tracked is still reported, and predicts the same."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from mlflow.entities import Metric, Param

from mmclf.cli.main import main
from mmclf.storage.tracking import Tracker

RUN = Path(__file__).parents[1] / "fixtures" / "run_of_0.1.0"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def run_id(outputs: Path) -> str:
    """The run in a database of its own, its metrics at the steps that they had."""
    tracked = json.loads((RUN / "tracked.json").read_text(encoding="utf-8"))
    tracker = Tracker(f"sqlite:///{outputs}/mlflow.db", "mmclf", outputs)
    log = tracker.start(tracked["name"], tracked["tags"], None)
    params = [Param(key, value) for key, value in tracked["params"].items()]
    tracker.client.log_batch(log.id, params=params)
    metrics = [
        Metric(key, value, 0, step)
        for key, history in tracked["metrics"].items()
        for step, value in history
    ]
    tracker.client.log_batch(log.id, metrics=metrics)
    log.artifacts(RUN / "artifacts")
    log.end("FINISHED")
    return log.id


def test_it_is_reported_as_it_was(
    outputs: Path, run_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--runs", run_id, "--format", "csv", f"output_dir={outputs}"]) == 0
    assert capsys.readouterr().out == (RUN / "report.csv").read_text(encoding="utf-8")


def test_it_predicts_the_same(outputs: Path, run_id: str, tmp_path: Path) -> None:
    given = ["predict", run_id, "--root", str(RUN / "root"), f"output_dir={outputs}"]
    assert main([*given, "--out", str(tmp_path / "labels.csv")]) == 0
    assert (tmp_path / "labels.csv").read_bytes() == (RUN / "labels.csv").read_bytes()
    assert main([*given, "--probabilities", "--out", str(tmp_path / "probabilities.csv")]) == 0
    probabilities, expected = (
        pd.read_csv(folder / "probabilities.csv") for folder in (tmp_path, RUN)
    )
    assert list(probabilities["ImageID"]) == list(expected["ImageID"])
    numbers = expected.columns.drop("ImageID")
    # The last digits differ between processors.
    pd.testing.assert_frame_equal(probabilities[numbers], expected[numbers], rtol=0, atol=1e-6)
