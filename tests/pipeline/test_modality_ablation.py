"""A trained model evaluated on changed test samples: nothing is fitted again."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from counting import count_computations
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

import mmclf
from mmclf.data.permute import derangement
from mmclf.data.split import Parts
from mmclf.pipeline.predict.restore import restore
from mmclf.pipeline.result import Result
from mmclf.pipeline.run_data import RunData, load_run_data, open_store
from mmclf.pipeline.stages import StageResolver
from mmclf.storage.tracking import Tracker
from mmclf.training.encode import standardise
from mmclf.training.features import FeaturesSerializer

SMALL = (
    "data.train=120",
    "data.test=30",
    "trainer.epochs=3",
    "image.size=32",
    "head.hidden=null",
    "optimizer.lr=0.02",
    "encode.precision=fp32",
    "device=cpu",
)
VISION = ("vision=timm", "vision.name=test_efficientnet", "vision.weights=random")
TINY = "{model_type: bert, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2}"
TEXT = (
    "text=huggingface",
    "text.name=nobody/tiny",
    "text.weights=random",
    f"text.architecture={TINY}",
)


def overrides(folder: Path, *more: str) -> list[str]:
    return [*SMALL, f"output_dir={folder}", *more]


def run(folder: Path, *more: str) -> Result:
    return mmclf.run(mmclf.compose(overrides(folder, *more)))


def artifacts_of(folder: Path, result: Result) -> Path:
    return folder / "artifacts" / result.run_id / "artifacts"


def scores(result: Result, *parts: str) -> dict[str, float]:
    return {key: value for key, value in result.metrics.items() if key.startswith(parts)}


def shuffled_rows(count: int, modality: str, seed: int = 0) -> NDArray[np.int64]:
    number = ("vision", "text").index(modality)
    return derangement(np.arange(count), np.random.default_rng([seed, number]))


@dataclass(frozen=True)
class Known:
    """What a run was made of: its samples, its parts, and the features of all its samples."""

    data: RunData
    features: Mapping[str, Tensor]

    @property
    def parts(self) -> Parts:
        return self.data.parts

    def captions(self, rows: NDArray[np.int64]) -> list[str]:
        return [self.data.samples.captions[row] for row in rows]


def known(folder: Path, *more: str) -> Known:
    config = mmclf.compose(overrides(folder, *more)).config
    with open_store(config, "2 x CPU") as store:
        data = load_run_data(config, store)
        resolver = StageResolver(config, data, "argmax", store.hasher, "2 x CPU")
        stages_of_run = resolver.resolve()
        assert stages_of_run is not None
        features = {}
        for name, stages in stages_of_run.features.items():
            stored = store.get(stages[0], FeaturesSerializer())
            assert stored is not None
            features[name] = torch.from_numpy(stored.value.values)
    return Known(data, features)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def plain(folder: Path) -> Result:
    """A run of both modalities as they are."""
    return run(folder, *VISION)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts fits, encodings, and test sets evaluated once more."""
    return count_computations(monkeypatch)


CHANGES = (
    {"vision": "dropped"},
    {"text": "dropped"},
    {"vision": "shuffled"},
    {"text": "shuffled"},
    {"vision": "dropped", "text": "shuffled"},
    {"vision": "shuffled", "text": "shuffled"},
)


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_the_logits_by_hand(folder: Path, plain: Result, changes: Mapping[str, str]) -> None:
    result = run(folder, *VISION, *(f"at_test.{name}={how}" for name, how in changes.items()))
    given = known(folder, *VISION)
    parts = {}
    for name, features in given.features.items():
        own = features[given.parts.test]
        if changes.get(name) == "dropped":
            own = features[given.parts.train].double().mean(dim=0).float().expand_as(own)
        elif changes.get(name) == "shuffled":
            own = own[shuffled_rows(len(own), name)]
        parts[name] = own
    weights = load_file(artifacts_of(folder, plain) / "model" / "classifier.safetensors")
    joined = torch.cat([parts["vision"], parts["text"]], dim=1)
    expected = joined @ weights["head.1.weight"].T + weights["head.1.bias"]
    np.testing.assert_allclose(result.logits["test"], expected, atol=1e-4)
    assert np.abs(result.logits["test"] - plain.logits["test"]).max() > 1e-2
    labels = torch.from_numpy(result.labels["test"]).float()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(expected, labels)
    assert result.metrics["test/loss"] == pytest.approx(loss.item(), abs=1e-4)


def test_what_is_shuffled_alone_is_the_same_predictions_for_other_samples(tmp_path: Path) -> None:
    words, shuffled = run(tmp_path), run(tmp_path, "at_test.text=shuffled")
    rows = shuffled_rows(30, "text")
    np.testing.assert_allclose(shuffled.logits["test"], words.logits["test"][rows], atol=1e-5)
    labels = torch.from_numpy(shuffled.labels["test"]).float()
    logits = torch.from_numpy(words.logits["test"][rows])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    assert shuffled.metrics["test/loss"] == pytest.approx(loss.item(), abs=1e-5)
    assert shuffled.metrics["test/loss"] > words.metrics["test/loss"]


def test_another_seed_shuffles_otherwise() -> None:
    assert not np.array_equal(shuffled_rows(30, "text", 0), shuffled_rows(30, "text", 1))
    assert not np.array_equal(shuffled_rows(30, "text"), shuffled_rows(30, "vision"))


@pytest.mark.parametrize("change", ["at_test.vision=dropped", "at_test.text=shuffled"])
def test_the_test_set_alone_is_another(folder: Path, plain: Result, change: str) -> None:
    result = run(folder, *VISION, change)
    assert scores(result, "train/", "val/") == scores(plain, "train/", "val/")
    assert np.array_equal(result.logits["val"], plain.logits["val"])
    assert np.array_equal(result.labels["test"], plain.labels["test"])
    assert np.array_equal(result.thresholds, plain.thresholds)
    assert scores(result, "test/") != scores(plain, "test/")
    with np.load(artifacts_of(folder, result) / "predictions" / "test.npz") as saved:
        assert np.array_equal(saved["logits"], result.logits["test"])
    # It predicts with the model as it is.
    models = [artifacts_of(folder, one) / "model" for one in (plain, result)]
    for path in models[0].rglob("*.*"):
        assert path.read_bytes() == (models[1] / path.relative_to(models[0])).read_bytes()


@pytest.mark.slow
def test_the_fit_is_made_once(tmp_path: Path, calls: Counter[str]) -> None:
    dropped, shuffled = "at_test.vision=dropped", "at_test.text=shuffled"
    run(tmp_path, *VISION)
    first = run(tmp_path, *VISION, dropped)
    run(tmp_path, *VISION, shuffled)
    run(tmp_path, *VISION, dropped, "threshold=global_f1")
    assert calls == {"fit": 1, "view 0": 1, "text": 1, "tested": 2}
    calls.clear()
    again = run(tmp_path, *VISION, dropped)
    assert calls == {}
    assert scores(again, "test/") == scores(first, "test/")
    assert np.array_equal(again.logits["test"], first.logits["test"])
    elsewhere = run(tmp_path / "elsewhere", *VISION, dropped)
    for off in (elsewhere, run(tmp_path, *VISION, dropped, "cache=off")):
        assert np.array_equal(off.logits["test"], first.logits["test"])
        assert scores(off, "train/", "val/", "test/") == scores(first, "train/", "val/", "test/")


def test_what_was_pruned_is_made_again(tmp_path: Path, calls: Counter[str]) -> None:
    change = "at_test.vision=dropped"
    first = run(tmp_path, *VISION, change)
    for stage, made in (("tested", {"tested": 1}), ("fit", {"fit": 1})):
        for kept in ("vision", "decide", stage):
            for entry in (tmp_path / "store" / kept).glob("*/entry.json"):
                entry.unlink()
        calls.clear()
        assert np.array_equal(run(tmp_path, *VISION, change).logits["test"], first.logits["test"])
        assert calls == {"view 0": 1, **made}


def test_it_is_part_of_what_the_run_costs(tmp_path: Path) -> None:
    result = run(tmp_path, *VISION, "at_test.vision=dropped")
    (actual,) = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path).get([result.run_id])
    assert " by this run in " in actual.tags["mmclf.stage.tested"]
    seconds: defaultdict[str, float] = defaultdict(float)
    for entry in (tmp_path / "store").glob("*/*/entry.json"):
        seconds[entry.parts[-3]] += json.loads(entry.read_text())["cost"]["seconds"]
    stages = ("split", "pictures", "vision", "text", "fit", "tested", "decide")
    whole = sum(seconds[stage] for stage in stages)
    assert result.metrics["time/cold_s"] == pytest.approx(whole)
    deciding = seconds["tested"] + seconds["decide"]
    assert result.metrics["time/decide_s"] == pytest.approx(deciding)
    assert seconds["tested"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "near"), [("fp32", 1e-4), ("bf16", 0.1)])
def test_captions_of_a_trained_encoder_are_shuffled(
    tmp_path: Path, precision: str, near: float
) -> None:
    trained = (*TEXT, "text.trainable=true", f"trainer.precision={precision}")
    plain, shuffled = run(tmp_path, *trained), run(tmp_path, *trained, "at_test.text=shuffled")
    rows = shuffled_rows(30, "text")
    np.testing.assert_allclose(shuffled.logits["test"], plain.logits["test"][rows], atol=near)
    given = known(tmp_path, *trained)
    predictor = mmclf.load(shuffled.run_id, output_dir=tmp_path, device="cpu")
    probabilities = predictor.predict_proba(None, given.captions(given.parts.test[rows]))
    expected = 1 / (1 + np.exp(-shuffled.logits["test"].astype(np.float64)))
    assert probabilities == pytest.approx(expected, abs=near)


@pytest.mark.slow
def test_pictures_of_a_trained_encoder_are_shuffled(tmp_path: Path) -> None:
    trained = (*VISION, "text=none", "vision.trainable=true")
    plain, shuffled = run(tmp_path, *trained), run(tmp_path, *trained, "at_test.vision=shuffled")
    expected = plain.logits["test"][shuffled_rows(30, "vision")]
    np.testing.assert_allclose(shuffled.logits["test"], expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "near"), [("fp32", 1e-4), ("bf16", 0.1)])
@pytest.mark.parametrize("dropped", ["vision", "text"])
def test_a_trained_encoder_is_dropped(
    tmp_path: Path, dropped: str, precision: str, near: float
) -> None:
    switches = ("vision.trainable=true", "text.trainable=true", f"trainer.precision={precision}")
    trained = (*VISION, *TEXT, *switches)
    result = run(tmp_path, *trained, f"at_test.{dropped}=dropped")
    given = known(tmp_path, *trained)
    model = restore(artifacts_of(tmp_path, result) / "model", ())
    images = given.data.images
    assert images is not None
    features = {}
    with torch.inference_mode():
        for name, rows in (("train", given.parts.train), ("test", given.parts.test)):
            seen = torch.from_numpy(images.pictures[rows])
            vision, text = model.encoders["vision"], model.encoders["text"]
            pictures = vision(standardise(vision, seen))
            captions = text(text.tokenize(given.captions(rows)))
            features[name] = {"vision": pictures, "text": captions}
        changed = features["test"]
        mean = features["train"][dropped].mean(dim=0)
        changed[dropped] = mean.expand_as(changed[dropped])
        expected = model.classifier(changed)
    np.testing.assert_allclose(result.logits["test"], expected, atol=near)
