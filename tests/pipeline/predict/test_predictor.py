"""Prediction from tracked runs: what they predicted themselves, in any batch, from any form."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import mmclf
from mmclf.config.schema import Composed
from mmclf.data.sources.competition_csv import CompetitionRow, read_rows
from mmclf.errors import InputError
from mmclf.evaluation.thresholds import decide
from mmclf.pipeline.predict import predictor as predictor_module
from mmclf.pipeline.predict.predictor import Predictor

TINY = "{model_type: bert, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2}"
VISION = ("vision=timm", "vision.name=test_efficientnet", "vision.weights=random", "image.size=64")
TEXT = (
    "text=huggingface",
    "text.name=nobody/tiny",
    "text.weights=random",
    f"text.architecture={TINY}",
)
SMALL = ("data.train=100", "data.test=30", "trainer.epochs=2", "encode.precision=fp32")
RUNS: Mapping[str, Sequence[str]] = {
    "tfidf": (),
    "frozen": (*VISION, *TEXT, "threshold=global_f1", "image=center_crop"),
    "constant": ("text=constant", "optimizer.lr=0.1"),
    "trained text": (*TEXT, "text.trainable=true"),
    "trained vision": (*VISION, "text=none", "vision.trainable=true"),
    "late": (*VISION, "fusion=late", "threshold=per_label_f1"),
    "trained in bf16": (*VISION, *TEXT, "vision.trainable=true", "trainer.precision=bf16"),
}
BOTH = "frozen"


@dataclass(frozen=True, repr=False)
class Data:
    """The demo's samples, by their ids."""

    folder: Path
    rows: Mapping[str, CompetitionRow]

    def images(self, ids: Sequence[str]) -> list[Path]:
        return [self.folder / "data" / one for one in ids]

    def captions(self, ids: Sequence[str]) -> list[str]:
        return [self.rows[one].caption for one in ids]


class Runs:
    """The runs of `RUNS`, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids: dict[str, str] = {}

    def id(self, name: str) -> str:
        if name not in self.ids:
            overrides = [*SMALL, *RUNS[name], f"output_dir={self.folder}"]
            composed: Composed = mmclf.compose(overrides)
            self.ids[name] = mmclf.run(composed).run_id
        return self.ids[name]

    def artifacts(self, name: str) -> Path:
        return self.folder / "artifacts" / self.id(name) / "artifacts"

    def load(self, name: str, **settings: Any) -> Predictor:
        return mmclf.load(self.id(name), output_dir=self.folder, device="cpu", **settings)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("outputs"))


@pytest.fixture(scope="module")
def data(runs: Runs) -> Data:
    runs.id("tfidf")
    (root,) = (path.parent for path in runs.folder.glob("store/demo/*/test.csv"))
    rows = [row for name in ("train", "test") for row in read_rows(root / f"{name}.csv")]
    return Data(root, {row.id: row for row in rows})


@pytest.fixture(scope="module")
def both(runs: Runs) -> Predictor:
    """A predictor of images and captions."""
    return runs.load(BOTH)


@pytest.fixture
def ids(data: Data) -> list[str]:
    return [*data.rows][:6]


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_predicted_as_it_predicted_itself(
    runs: Runs, data: Data, name: str, part: str
) -> None:
    predictor = runs.load(name)
    with np.load(runs.artifacts(name) / "predictions" / f"{part}.npz") as saved:
        ids, logits = [str(one) for one in saved["ids"]], saved["logits"].astype(np.float64)
    own = 1 / (1 + np.exp(-logits))
    found = predictor.predict_proba(data.images(ids), data.captions(ids))
    assert found.dtype == np.float64
    assert found == pytest.approx(own, abs=1e-3 if "bf16" in name else 1e-6)
    expected = decide(own, predictor.thresholds, "argmax")
    far = (np.abs(own - predictor.thresholds) > (1e-3 if "bf16" in name else 1e-5)).all(axis=1)
    assert far.mean() > 0.2
    assert np.array_equal(predictor.label_sets(found)[far], expected[far])


def test_the_labels_come_by_name_in_the_order_of_the_columns(
    runs: Runs, data: Data, ids: list[str]
) -> None:
    predictor = runs.load("tfidf")
    model = json.loads((runs.artifacts("tfidf") / "model" / "model.json").read_text())
    assert predictor.label_names == tuple(model["label_names"])
    assert predictor.label_ids == tuple(model["label_ids"])
    assert predictor.thresholds.tolist() == model["thresholds"]
    predictor.thresholds = np.full(18, 0.3)
    probabilities = predictor.predict_proba(None, data.captions(ids))
    found = predictor.predict(captions=data.captions(ids))
    for names, row in zip(found, probabilities, strict=True):
        above = [n for n, p in zip(predictor.label_names, row, strict=True) if p >= 0.3]
        assert names == tuple(above or [predictor.label_names[row.argmax()]])


@pytest.mark.parametrize("name", ["frozen", "trained in bf16", "tfidf"])
@pytest.mark.parametrize("size", [1, 3, 32])
def test_neither_batches_nor_order_change_a_bit(
    runs: Runs, data: Data, name: str, size: int
) -> None:
    predictor, ids = runs.load(name), [*data.rows][:40]
    expected = predictor.predict_proba(data.images(ids), data.captions(ids))
    order = np.random.default_rng(size).permutation(len(ids))
    for start in range(0, len(ids), size):
        rows = order[start : start + size]
        some = [ids[row] for row in rows]
        found = predictor.predict_proba(data.images(some), data.captions(some))
        assert np.array_equal(found, expected[rows])


def test_filled_batches_of_an_accelerator_predict_the_same(
    runs: Runs, data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [*data.rows][:20]
    images, captions = data.images(ids), data.captions(ids)
    predictor = runs.load(BOTH)
    expected = predictor.predict_proba(images, captions)
    monkeypatch.setattr(predictor_module, "batch_size", lambda _: 8)
    assert predictor.predict_proba(images, captions) == pytest.approx(expected, abs=1e-6)


def test_every_form_of_a_picture_is_the_same_picture(
    both: Predictor, data: Data, ids: list[str]
) -> None:
    paths, captions = data.images(ids), data.captions(ids)
    expected = both.predict_proba(paths, captions)
    pictures = [Image.open(path) for path in paths]
    arrays = [np.asarray(picture.convert("RGB")) for picture in pictures]
    forms: list[Any] = [list(map(str, paths)), tuple(pictures), arrays, np.stack(arrays)]
    for form in [*forms, [paths[0], pictures[1], *arrays[2:]]]:
        assert np.array_equal(both.predict_proba(form, captions), expected)
    for one in (paths[0], str(paths[0]), pictures[0], arrays[0]):
        assert np.array_equal(both.predict_proba(one, captions[0]), expected[:1])
        assert both.predict(one, captions[0]) == both.predict(paths[:1], captions[:1])


def test_nothing_gives_nothing(both: Predictor) -> None:
    assert both.predict([], []) == []
    assert both.predict_proba([], []).shape == (0, 18)


def test_a_missing_caption_is_an_empty_one_and_is_told(
    both: Predictor, data: Data, ids: list[str]
) -> None:
    images, captions = data.images(ids), data.captions(ids)
    words = r"^2 of 6 samples have no caption: an empty one stands in$"
    with pytest.warns(UserWarning, match=words) as warned:
        found = both.predict_proba(images, [None, "", *captions[2:]])
    assert Path(warned[0].filename) == Path(__file__)
    with pytest.warns(UserWarning, match="6 of 6 samples have no caption"):
        without = both.predict_proba(images)
    assert np.array_equal(found[:2], without[:2])
    expected = both.predict_proba(images, captions)
    assert np.array_equal(found[2:], expected[2:])
    assert not np.array_equal(found[:2], expected[:2])


def test_a_missing_image_is_the_mean_and_is_told(
    both: Predictor, data: Data, ids: list[str]
) -> None:
    images, captions = data.images(ids), data.captions(ids)
    words = r"^1 of 6 samples have no image: a grey picture, the mean that its encoder expects"
    with pytest.warns(UserWarning, match=words):
        found = both.predict_proba([None, *images[1:]], captions)
    with pytest.warns(UserWarning, match="6 of 6 samples have no image"):
        without = both.predict_proba(None, captions)
    assert np.array_equal(found[:1], without[:1])
    assert np.array_equal(found[1:], both.predict_proba(images, captions)[1:])
    # A picture of the mean colour, of which bytes can only come near.
    grey = np.full((64, 64, 3), np.round(255 * np.array([0.485, 0.456, 0.406])), dtype=np.uint8)
    near = both.predict_proba([grey] * 6, captions)
    assert without == pytest.approx(near, abs=1e-4)


def test_what_the_run_did_not_use_is_ignored(runs: Runs, data: Data, ids: list[str]) -> None:
    words, sight = runs.load("tfidf"), runs.load("trained vision")
    images, captions = data.images(ids), data.captions(ids)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = words.predict_proba(None, captions)
        assert np.array_equal(words.predict_proba(["nowhere.jpg"] * 6, captions), found)
        assert np.array_equal(sight.predict_proba(images), sight.predict_proba(images, captions))


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("tfidf", {"images": ["a.jpg"]}, "predicts from captions: none is given"),
        ("tfidf", {"captions": [None, " "]}, "predicts from captions: none is given"),
        ("trained vision", {"captions": ["a"]}, "predicts from images: none is given"),
        (BOTH, {"images": [None], "captions": [""]}, "predicts from images or captions: none"),
        (BOTH, {}, "found neither images nor captions"),
        (BOTH, {"images": ["a.jpg"], "captions": ["a", "b"]}, "found 1 images and 2 captions"),
        (BOTH, {"images": ["a.jpg", "b"], "captions": "ab"}, "found 2 images and 1 captions"),
        (BOTH, {"images": ["nowhere.jpg"], "captions": "a"}, "1 of 1 images cannot be read"),
    ],
)
def test_what_cannot_be_predicted_is_said(
    runs: Runs, name: str, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        runs.load(name).predict(**arguments)


def test_a_run_is_found_by_the_beginning_of_its_id(runs: Runs) -> None:
    run_id = runs.id("tfidf")
    assert mmclf.load(run_id[:12], output_dir=runs.folder).run_id == run_id
    uri = f"sqlite:///{runs.folder}/mlflow.db"
    assert mmclf.load(run_id, tracking_uri=uri, output_dir="elsewhere").run_id == run_id


def test_a_run_that_there_is_not_is_answered(runs: Runs, tmp_path: Path) -> None:
    runs.id("tfidf")
    with pytest.raises(InputError, match=r"Run with id=zz not found .*`mmclf runs` lists"):
        mmclf.load("zz", output_dir=runs.folder)
    with pytest.raises(InputError, match="there is no database at sqlite:///"):
        mmclf.load("zz", output_dir=tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@pytest.fixture
def model_json(runs: Runs) -> Iterator[Path]:
    """The description of a run's model, whole again after the test."""
    path = runs.artifacts(BOTH) / "model" / "model.json"
    before = path.read_text()
    yield path
    path.write_text(before)


def test_damaged_artifacts_are_named_with_the_run(runs: Runs, model_json: Path) -> None:
    facts = json.loads(model_json.read_text())
    for encoder in facts["encoders"].values():
        encoder["sha256"] = "0" * 64
    model_json.write_text(json.dumps(facts))
    with pytest.raises(InputError, match=f"^run {runs.id(BOTH)}: vision: the tensors of the enc"):
        runs.load(BOTH)
    model_json.write_text("{")
    with pytest.raises(InputError, match=rf"^run {runs.id(BOTH)}: model/model\.json is damaged: "):
        runs.load(BOTH)
    model_json.unlink()
    with pytest.raises(InputError, match=r"model/model\.json is damaged: there is no such file"):
        runs.load(BOTH)


def test_a_precision_that_the_device_lacks_is_fp32(
    runs: Runs, data: Data, ids: list[str], both: Predictor, model_json: Path
) -> None:
    model_json.write_text(model_json.read_text().replace('"fp32"', '"fp16"'))
    images, captions = data.images(ids), data.captions(ids)
    found = runs.load(BOTH).predict_proba(images, captions)
    assert np.array_equal(found, both.predict_proba(images, captions))


def test_weights_that_are_not_finite_are_found(runs: Runs, data: Data, ids: list[str]) -> None:
    path = runs.artifacts("tfidf") / "model" / "classifier.safetensors"
    before = path.read_bytes()
    weights = load_file(path)
    save_file({name: torch.full_like(w, torch.nan) for name, w in weights.items()}, path)
    predictor = runs.load("tfidf")
    path.write_bytes(before)
    with pytest.raises(InputError, match="logits of 6 of 6 samples are not finite, the first at"):
        predictor.predict(captions=data.captions(ids))
