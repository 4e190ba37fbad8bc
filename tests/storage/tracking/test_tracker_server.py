"""Runs on an MLflow server: logged, listed, reported and predicted by, from other folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow_server import Server

from mmclf.cli.main import main
from mmclf.storage.tracking import Tracker

pytestmark = pytest.mark.slow

SMALL = ("data.train=60", "data.test=20", "trainer.epochs=1", "head.hidden=4")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on this machine alone, whose artifacts go through it."""
    made = Server(tmp_path_factory.mktemp("server"))
    made.start()
    yield made.address
    made.stop()


def test_a_run_is_logged_reported_and_predicts_from_other_folders(
    server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracking = f"tracking.uri={server}"
    assert main([*SMALL, tracking, f"output_dir={tmp_path}/one"]) == 0
    run_id = capsys.readouterr().out.split("run_id: ")[1].split()[0]
    (run,) = Tracker(server, "mmclf", tmp_path).get([run_id])
    assert run.status == "FINISHED"
    assert {"test/f1_samples", "epoch/val/loss", "time/cold_s"} <= run.metrics.keys()
    assert not (tmp_path / "one" / "artifacts").exists()
    assert not (tmp_path / "one" / "mlflow.db").exists()

    two = [tracking, f"output_dir={tmp_path}/two"]
    assert main(["report", "--runs", run_id, "--format", "csv", *two]) == 0
    assert str(run.metrics["test/f1_samples"]) in capsys.readouterr().out

    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "test.csv").write_text('ImageID,Caption\n0.jpg,"a dog"\n')
    out = tmp_path / "labels.csv"
    given = ["predict", run_id, "--root", str(tmp_path / "root"), "--out", str(out), *two]
    assert main(given) == 0
    assert out.read_text().startswith("ImageID,Labels\n0.jpg,")


def test_a_sweep_is_below_one_parent_run(server: str, tmp_path: Path) -> None:
    given = ["-m", *SMALL, "loss=bce,focal", f"tracking.uri={server}", f"output_dir={tmp_path}"]
    assert main([*given, "tracking.experiment=sweep"]) == 0
    runs = Tracker(server, "sweep", tmp_path).runs()
    (parent,) = (run for run in runs if run.parent is None)
    children = [run for run in runs if run.parent == parent.id]
    assert sorted(run.tags["mmclf.loss"] for run in children) == ["bce", "focal"]
    assert {run.status for run in runs} == {"FINISHED"}
