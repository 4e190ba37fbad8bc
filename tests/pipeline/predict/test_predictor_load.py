"""A predictor is loaded by its run's id; what is damaged, or what the device lacks, is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from predicting_runs import BOTH, Data, Runs
from safetensors.torch import load_file, save_file

import mmclf
from mmclf.errors import InputError
from mmclf.pipeline.predict.predictor import Predictor

pytest_plugins = ["predicting_run_fixtures"]


@pytest.fixture
def model_json(runs: Runs) -> Iterator[Path]:
    """The description of a run's model, whole again after the test."""
    path = runs.artifacts(BOTH) / "model" / "model.json"
    before = path.read_text()
    # MLflow's model is another name for the file, which must stay as it is.
    path.unlink()
    path.write_text(before)
    yield path
    path.write_text(before)


def test_a_run_is_found_by_the_beginning_of_its_id(runs: Runs) -> None:
    run_id = runs.id("tfidf")
    assert mmclf.load(run_id[:12], output_dir=runs.folder).run_id == run_id
    uri = f"sqlite:///{runs.folder}/mlflow.db"
    assert mmclf.load(run_id, tracking_uri=uri, output_dir="elsewhere").run_id == run_id


def test_a_run_that_there_is_not_is_answered(runs: Runs, tmp_path: Path) -> None:
    runs.id("tfidf")
    with pytest.raises(InputError, match=r"id=zz .*`mmclf runs`"):
        mmclf.load("zz", output_dir=runs.folder)
    with pytest.raises(InputError, match=r"no database at sqlite:///"):
        mmclf.load("zz", output_dir=tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_damaged_artifacts_are_named_with_the_run(runs: Runs, model_json: Path) -> None:
    facts = json.loads(model_json.read_text())
    for encoder in facts["encoders"].values():
        encoder["sha256"] = "0" * 64
    model_json.write_text(json.dumps(facts))
    with pytest.raises(InputError, match=f"^run {runs.id(BOTH)}: vision: "):
        runs.load(BOTH)
    model_json.write_text("{")
    with pytest.raises(InputError, match=rf"^run {runs.id(BOTH)}: model/model\.json "):
        runs.load(BOTH)
    model_json.unlink()
    with pytest.raises(InputError, match=r"model/model\.json .*no such file"):
        runs.load(BOTH)


def test_a_precision_that_the_device_lacks_is_fp32(
    runs: Runs, data: Data, ids: list[str], both: Predictor, model_json: Path
) -> None:
    model_json.write_text(model_json.read_text().replace('"fp32"', '"fp16"'))
    images, captions = data.images(ids), data.captions(ids)
    probabilities = runs.load(BOTH).predict_proba(images, captions)
    assert np.array_equal(probabilities, both.predict_proba(images, captions))


def test_weights_that_are_not_finite_are_found(runs: Runs, data: Data, ids: list[str]) -> None:
    path = runs.artifacts("tfidf") / "model" / "classifier.safetensors"
    before = path.read_bytes()
    weights = load_file(path)
    save_file({name: torch.full_like(w, torch.nan) for name, w in weights.items()}, path)
    predictor = runs.load("tfidf")
    path.write_bytes(before)
    with pytest.raises(InputError, match=r"6 of 6 samples .*not finite"):
        predictor.predict(captions=data.captions(ids))
