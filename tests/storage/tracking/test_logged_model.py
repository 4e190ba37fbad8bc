"""A run's model among MLflow's own: once, in its place, and in the registry."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from mlflow.entities import LoggedModel
from mlflow.exceptions import MlflowException

from mmclf.storage.tracking import Data, RunLog, Tracker
from mmclf.storage.tracking import system_metrics as module
from mmclf.storage.tracking.logged_model import Model

DATA = Data("demo", "0123456789ab", "here", {"caption": "string"}, {"num_rows": 3, "train": 2})
SCORES = {"test/f1_samples": 0.5}


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> Tracker:
    """One for all tests, as making a database takes seconds."""
    folder = tmp_path_factory.mktemp("tracked")
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mine", folder)


def run_with_model(tracker: Tracker, folder: Path, registered: str | None = None) -> RunLog:
    """A run that has logged data, a metric, files, and these as a model."""
    (folder / "files" / "model" / "deep").mkdir(parents=True, exist_ok=True)
    for name in ("MLmodel", "deep/weights"):
        (folder / "files" / "model" / name).write_text("x")
    log = tracker.start("a", {}, None)
    log.data(DATA)
    scored = log.metrics(SCORES)
    log.artifacts(folder / "files")
    log.model(SCORES, scored, DATA, registered)
    return log


def models_of(tracker: Tracker, run: str) -> list[LoggedModel]:
    models = tracker.client.search_logged_models([tracker.experiment_id])
    return [model for model in models if model.source_run_id == run]


def place(location: str) -> Path:
    return Path(location.removeprefix("file://"))


def test_the_models_files_are_the_runs_own(tracker: Tracker, tmp_path: Path) -> None:
    log = run_with_model(tracker, tmp_path)
    (model,) = models_of(tracker, log.id)
    own = place(tracker.client.get_run(log.id).info.artifact_uri) / "model"
    other = place(model.artifact_location)
    names = {"MLmodel", "deep/weights"}
    for folder in (own, other):
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.relative_to(folder).as_posix() for path in files} == names
    assert all((own / name).samefile(other / name) for name in names)
    assert [(metric.key, metric.value) for metric in model.metrics] == [*SCORES.items()]
    assert [
        point.value for point in tracker.client.get_metric_history(log.id, "test/f1_samples")
    ] == [0.5]


def test_data_are_an_input_of_the_run(tracker: Tracker, tmp_path: Path) -> None:
    log = run_with_model(tracker, tmp_path)
    (dataset,) = tracker.client.get_run(log.id).inputs.dataset_inputs
    actual = dataset.dataset
    assert (actual.name, actual.digest) == ("demo", "0123456789ab")
    assert '"num_rows": 3' in actual.profile
    assert '"train": 2' in actual.profile


def test_what_is_sent_again_makes_no_second_model(tracker: Tracker, tmp_path: Path) -> None:
    log = run_with_model(tracker, tmp_path, "mine")
    Model("mine", [("test/f1_samples", 0.5, 1)], ("demo", DATA.digest)).send(tracker.client, log.id)
    assert len(models_of(tracker, log.id)) == 1
    assert len(tracker.client.search_model_versions("name='mine'")) == 1


def test_every_run_is_a_version_of_the_registered_model(tracker: Tracker, tmp_path: Path) -> None:
    logs = [run_with_model(tracker, tmp_path, "captions demo") for _ in range(2)]
    versions = tracker.client.search_model_versions("name='captions demo'")
    assert {version.version: version.run_id for version in versions} == {
        number: log.id for number, log in enumerate(logs, start=1)
    }
    assert {version.status for version in versions} == {"READY"}


def test_files_that_cannot_be_linked_are_copied(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refused)
    log = run_with_model(tracker, tmp_path)
    (model,) = models_of(tracker, log.id)
    copied = place(model.artifact_location) / "deep" / "weights"
    own = place(tracker.client.get_run(log.id).info.artifact_uri) / "model" / "deep" / "weights"
    assert copied.read_text() == "x"
    assert not copied.samefile(own)


def test_a_server_that_knows_no_models_has_the_artifact(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        error = MlflowException("no such address")
        error.error_code = "ENDPOINT_NOT_FOUND"
        raise error

    monkeypatch.setattr(tracker.client, "create_logged_model", unknown)
    log = run_with_model(tracker, tmp_path)
    assert models_of(tracker, log.id) == []
    names = {list_artifact.path for list_artifact in tracker.client.list_artifacts(log.id, "model")}
    assert names == {"model/MLmodel", "model/deep"}


@pytest.mark.parametrize("measured", [False, True])
def test_the_machines_load_is_logged_if_wanted(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch, measured: bool
) -> None:
    monkeypatch.setattr(module, "EVERY_S", 0.2)
    with tracker.run("a", {}, None, measured=measured) as log:
        deadline = time.monotonic() + (120 if measured else 0)
        while not tracker.get([log.id])[0].metrics and time.monotonic() < deadline:
            time.sleep(0.2)
    actual = {key for key in tracker.get([log.id])[0].metrics if key.startswith("system/")}
    assert ("system/cpu_utilization_percentage" in actual) == measured
