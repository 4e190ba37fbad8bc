"""A database or an artifact address that cannot be used is answered, not unforeseen."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from mmclf.cli.main import main
from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker


@pytest.mark.parametrize("content", [b"no database at all, but a text\n" * 100, b"\0" * 5000])
@pytest.mark.parametrize("command", [[], ["-m"], ["runs"], ["report"]])
@pytest.mark.hostile("runs of others")
def test_a_database_that_is_none(
    content: bytes, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(content)
    given = [f"tracking.uri=sqlite:///{file}", f"output_dir={tmp_path}/out"]
    assert main([*command, *given, "data.train=60", "data.test=20", "trainer.epochs=1"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("mmclf: tracking.")
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    "uri",
    ["foo://x", "ftp://host/x", "databricks-x", "http://[", "nodialect+x://host/db", "sqlite:////"],
)
@pytest.mark.hostile("runs of others")
def test_an_address_of_another_kind(uri: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^tracking\.uri="):
        Tracker(uri, "mmclf", tmp_path)


@pytest.mark.parametrize("location", ["foo://bucket/x", "gs://bucket/x", "sftp://host/x"])
@pytest.mark.hostile("runs of others")
def test_artifacts_where_they_cannot_be_kept(location: str, tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    Tracker(uri, "other", tmp_path)  # makes the database
    client = MlflowClient(tracking_uri=uri)
    experiment = client.create_experiment("far", artifact_location="file:///elsewhere")
    run = client.create_run(experiment)
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        database.execute(
            "update experiments set artifact_location = ? where name='far'", [location]
        )
        database.execute("update runs set artifact_uri = ?", [location])
    with pytest.raises(InputError, match=r"^tracking\.experiment=far keeps artifacts where"):
        Tracker(uri, "far", tmp_path)
    reading = Tracker(uri, "far", tmp_path, create=False)
    with pytest.raises(InputError, match=f"the run {run.info.run_id}"):
        reading.fetch(reading.get([run.info.run_id])[0], "model", tmp_path)
