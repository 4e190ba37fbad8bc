"""Several captions of a sample: each is a text view, and their mean is evaluated."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from counting import count_computations

import mmclf
from mmclf.pipeline import stage_runner
from mmclf.pipeline.result import Result
from mmclf.training.batches import FeatureInput
from mmclf.training.fit import fit_model
from mmclf.training.fit_data import FitData

pytestmark = pytest.mark.slow

WORDS = {"dog": "a dog runs", "cat": "a cat sits", "bus": "a red bus"}
SMALL = (
    "data=table",
    "data.file=table.csv",
    "data.image_column=null",
    "data.caption_column=null",
    "vision=none",
    "trainer.epochs=3",
    "head.hidden=8",
    "encode.precision=fp32",
    "device=cpu",
)
# A BERT of random weights, whose vocabulary is trained on the captions.
TEXT = (
    "text=bert",
    "text.weights=random",
    "+text.architecture.hidden_size=16",
    "+text.architecture.num_hidden_layers=1",
    "+text.architecture.num_attention_heads=2",
    "+text.architecture.intermediate_size=16",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table with a caption, the same again, and another one of some of the samples."""
    names = sorted(WORDS)
    with (tmp_path / "table.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["labels", "first", "same", "other"])
        for row in range(60):
            label = names[row % 3]
            text = f"{WORDS[label]} {row}"
            table.writerow([label, text, text, f"{WORDS[label]} by the sea" if row % 2 else ""])
    return tmp_path


def run(folder: Path, columns: str, *more: str) -> Result:
    own = [f"data.root={folder}", f"data.caption_columns=[{columns}]", "data.caption_use=each"]
    lines = [*SMALL, *TEXT, *own, f"output_dir={folder}/{columns.replace(',', '-')}", *more]
    return mmclf.run(mmclf.compose(lines))


def test_a_caption_that_stands_twice_is_as_one(folder: Path) -> None:
    once, twice = run(folder, "first"), run(folder, "first,same")
    for part in ("val", "test"):
        assert twice.logits[part] == pytest.approx(once.logits[part], abs=1e-4)


def test_training_draws_each_and_evaluation_takes_their_mean(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[FitData] = []

    def fit(components: Any, data: FitData, *others: Any) -> Any:
        fitted.append(data)
        return fit_model(components, data, *others)

    monkeypatch.setattr(stage_runner, "fit_model", fit)
    run(folder, "first,other")
    (data,) = fitted
    mean, first, other = (view.numpy() for view in data.features["text"])
    assert data.means == ("text",)
    several = np.arange(60) % 2 == 1  # which have another caption
    assert mean[several] == pytest.approx((first + other)[several] / 2, abs=1e-6)
    assert mean[~several] == pytest.approx(first[~several], abs=1e-6)
    assert other[~several] == pytest.approx(first[~several], abs=1e-6)
    components: Any = SimpleNamespace(config=SimpleNamespace(modalities=("text",)))
    drawn = data.training_set(components, ["train"], torch.device("cpu")).inputs["text"]
    assert isinstance(drawn, FeatureInput)
    assert not drawn.clean_is_drawn


def test_each_is_encoded_once_and_stored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = count_computations(monkeypatch)
    first = run(folder, "first,other")
    assert calls == {"text": 2, "fit": 1}
    calls.clear()
    again = run(folder, "first,other", "head.dropout=0.5")
    assert calls == {"fit": 1}
    assert again.logits["test"].shape == first.logits["test"].shape
    alone = run(folder, "first")
    assert not np.allclose(first.logits["test"], alone.logits["test"])


def test_an_encoder_is_trained_on_them_and_predicts_by_their_mean(folder: Path) -> None:
    result = run(folder, "first,other", "text.trainable=true", "text.lr=1e-3")
    assert np.isfinite(result.logits["test"]).all()
    predictor = mmclf.load(result.run_id, output_dir=folder / "first-other")
    texts = [("a dog runs 3", "a dog runs by the sea"), ("a red bus 7",)]
    assert predictor.predict_proba(captions=texts).shape == (2, 3)
