"""The database and the experiment of a tracker: made where they are missing, by writers alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient
from opened_tracker import open_tracker

from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.database import create_database


@pytest.mark.parametrize("uri", ["nonsense://x", "mlruns"])
def test_an_address_that_cannot_be_used_is_named(tmp_path: Path, uri: str) -> None:
    with pytest.raises(InputError, match=f"tracking.uri={uri} ") as caught:
        Tracker(uri, "study", tmp_path)
    assert "expected sqlite:///FILE" in str(caught.value)


def test_reading_makes_no_experiment(tmp_path: Path) -> None:
    open_tracker(tmp_path)
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    with pytest.raises(InputError, match="did you mean 'study'"):
        Tracker(uri, "studdy", tmp_path, create=False)
    assert open_tracker(tmp_path).client.get_experiment_by_name("studdy") is None


def test_reading_makes_no_database(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'below' / 'mlflow.db'}"
    with pytest.raises(InputError, match=r"no database at sqlite:///"):
        Tracker(uri, "study", tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_deleted_experiment_is_answered(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    tracker.client.delete_experiment(tracker.experiment_id)
    with pytest.raises(InputError, match="was deleted"):
        open_tracker(tmp_path)


def test_an_experiment_that_another_makes_meanwhile_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_tracker(tmp_path)
    ask = MlflowClient.get_experiment_by_name
    answers = iter([None])  # as it was when one asked
    monkeypatch.setattr(
        MlflowClient,
        "get_experiment_by_name",
        lambda self, name: next(answers, ask(self, name)),
    )
    assert open_tracker(tmp_path).experiment_id == first.experiment_id


def test_a_relative_database_is_that_of_the_folder_that_the_process_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("first", "second")
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        tracker = Tracker("sqlite:///outputs/mlflow.db", "mmclf", Path("outputs"))
        with tracker.run(name, {}, None):
            pass
    for name in names:
        tracker = Tracker(f"sqlite:///{tmp_path / name}/outputs/mlflow.db", "mmclf", tmp_path)
        assert [run.name for run in tracker.runs()] == [name]


def test_a_database_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    for _ in range(2):
        create_database(f"sqlite:///{tmp_path}/mlflow.db")
        assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
        (tmp_path / "mlflow.db").unlink()
