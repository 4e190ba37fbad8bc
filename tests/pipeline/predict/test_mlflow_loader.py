"""A run's model as MLflow loads it predicts what `mmclf predict` does, from tables."""

from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from message_facts import Naming
from mlflow.tracking import MlflowClient
from predicting_runs import BOTH, RUNS, Data, Runs

from mmclf.errors import InputError
from mmclf.pipeline.predict.mlflow_loader import ROOT, TableModel, _load_pyfunc
from mmclf.pipeline.predict.predictor import Predictor

pytest_plugins = ["predicting_run_fixtures"]
OTHERS = [
    pytest.param(name, marks=pytest.mark.slow) for name in RUNS if name not in (BOTH, "tfidf")
]


def table(data: Data, ids: list[str]) -> pd.DataFrame:
    """Images as the bytes of their files, and captions."""
    contents = [path.read_bytes() for path in data.images(ids)]
    return pd.DataFrame({"image": contents, "caption": data.captions(ids)})


def loaded(runs: Runs, name: str, monkeypatch: pytest.MonkeyPatch) -> mlflow.pyfunc.PyFuncModel:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{runs.folder}/mlflow.db")
    monkeypatch.setenv("MMCLF_DEVICE", "cpu")
    return mlflow.pyfunc.load_model(f"runs:/{runs.id(name)}/model")


@pytest.mark.parametrize("name", ["tfidf", BOTH, *OTHERS])
def test_mlflow_predicts_what_the_predictor_does(
    runs: Runs, data: Data, ids: list[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = runs.load(name)
    expected = predictor.predict_proba(data.images(ids), data.captions(ids))
    model = loaded(runs, name, monkeypatch)
    actual = model.predict(table(data, ids))
    matrix = pd.DataFrame(actual["probabilities"].tolist())[list(predictor.label_names)]
    assert matrix.to_numpy() == pytest.approx(expected, abs=1e-6)
    labels = predictor.predict(data.images(ids), data.captions(ids))
    assert [tuple(one) for one in actual["labels"]] == labels
    best = model.predict(table(data, ids), params={"top": 3})["labels"]
    ranked = np.argsort(-expected, axis=1, kind="stable")[:, :3]
    assert [[predictor.label_names.index(one) for one in row] for row in best] == ranked.tolist()


def test_a_model_of_mlflows_has_a_signature_an_example_and_no_pickle(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded(runs, BOTH, monkeypatch)
    inputs = model.metadata.get_input_schema().to_dict()
    assert [(one["name"], one["type"]) for one in inputs] == [
        ("image", "binary"),
        ("image_path", "string"),
        ("caption", "string"),
    ]
    assert [one["name"] for one in model.metadata.get_output_schema().to_dict()] == [
        "labels",
        "probabilities",
    ]
    assert len(model.predict(model.input_example)) == 1
    files = {path.suffix for path in (runs.artifacts(BOTH) / "model").rglob("*") if path.is_file()}
    assert files == {"", ".json", ".safetensors"}
    captions_alone = loaded(runs, "tfidf", monkeypatch).metadata.get_input_schema().to_dict()
    assert [one["name"] for one in captions_alone] == ["caption"]


def test_it_is_among_mlflows_models_with_its_scores(runs: Runs, data: Data, ids: list[str]) -> None:
    client = MlflowClient(f"sqlite:///{runs.folder}/mlflow.db")
    run = client.get_run(runs.id("tfidf"))
    (output,) = run.outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    assert (model.name, str(model.status), model.source_run_id) == (
        "model",
        "READY",
        run.info.run_id,
    )
    scores = {metric.key: metric.value for metric in model.metrics}
    assert scores["test/f1_samples"] == run.data.metrics["test/f1_samples"]
    assert {key.partition("/")[0] for key in scores} == {"val", "test"}
    (dataset,) = run.inputs.dataset_inputs
    assert dataset.dataset.digest == run.data.tags["mmclf.data_digest"]
    assert {metric.dataset_digest for metric in model.metrics} == {dataset.dataset.digest}
    folder = Path(model.artifact_location.removeprefix("file://"))
    files = runs.artifacts("tfidf") / "model"
    assert {path.name for path in folder.iterdir()} == {path.name for path in files.iterdir()}
    again = _load_pyfunc(str(folder)).predict(table(data, ids))
    assert len(again) == len(ids)


@pytest.fixture
def inside(both: Predictor, data: Data) -> TableModel:
    """A model that reads paths below the folder of the demo's images."""
    return TableModel(both, data.folder / "data")


def test_a_path_below_the_root_is_the_image(inside: TableModel, data: Data, ids: list[str]) -> None:
    by_content = inside.predict(table(data, ids))
    whole = [str(path) for path in data.images(ids[:3])]
    paths = pd.DataFrame({"image_path": [*whole, *ids[3:]], "caption": data.captions(ids)})
    assert inside.predict(paths)["probabilities"].tolist() == by_content["probabilities"].tolist()


@pytest.mark.parametrize(
    "path",
    [
        *("../test.csv", "/etc/passwd", "http://127.0.0.1/a.png", "file:///etc/passwd"),
        *("none.jpg", "link.jpg", ".", "x\0y", "a" * 300),
    ],
)
def test_any_other_path_is_refused(both: Predictor, tmp_path: Path, path: str) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside.jpg").write_bytes(b"")
    (tmp_path / "root" / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    model = TableModel(both, tmp_path / "root")
    with pytest.raises(InputError) as raised:
        model.predict(pd.DataFrame({"image_path": [path], "caption": ["a dog"]}))
    assert str(raised.value) == Naming("image_path[0]", ROOT)


def test_without_a_root_no_path_is_read(both: Predictor, data: Data, ids: list[str]) -> None:
    paths = pd.DataFrame({"image_path": [str(path) for path in data.images(ids)]})
    with pytest.raises(InputError) as raised:
        TableModel(both, None).predict(paths)
    assert str(raised.value) == Naming("image_path[0]", ROOT)


def test_empty_cells_are_missing_ones(both: Predictor, data: Data, ids: list[str]) -> None:
    frame = table(data, ids[:2])
    frame.loc[1, "image"] = b""
    frame.loc[0, "caption"] = None
    with pytest.warns(UserWarning, match="1 of 2"):
        labels = TableModel(both, None).predict(frame)
    with pytest.warns(UserWarning, match="1 of 2"):
        expected = both.predict_proba([data.images(ids)[0], None], [None, data.captions(ids)[1]])
    assert [list(one.values()) for one in labels["probabilities"]] == expected.tolist()


@pytest.mark.parametrize("columns", [{"picture": ["x"]}, {}])
def test_a_table_without_its_columns(both: Predictor, columns: dict[str, list[str]]) -> None:
    with pytest.raises(InputError) as raised:
        TableModel(both, None).predict(pd.DataFrame(columns))
    assert str(raised.value) == Naming("'image'", "'caption'")


def test_what_a_model_may_use_does_not_come_with_it(runs: Runs) -> None:
    folder = str(runs.artifacts("tfidf") / "model")
    with pytest.raises(InputError) as raised:
        _load_pyfunc(folder, {"image_root": "/"})
    assert str(raised.value) == Naming("image_root", ROOT)
