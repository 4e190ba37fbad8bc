from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from message_facts import Naming
from safetensors.torch import load_file
from torch import nn

from mmclf.config.schema import (
    AtTest,
    Augment,
    Config,
    Encode,
    Encoder,
    Head,
    Image,
    Source,
    Split,
    StoreSettings,
    Tracking,
    Trainer,
)
from mmclf.data.decoded_images import DecodedImages
from mmclf.data.samples import Samples
from mmclf.data.split import Parts
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models import classifier
from mmclf.models.classifier import Classifier
from mmclf.models.describe import describe_encoder
from mmclf.models.fusion import Concat
from mmclf.models.heads import make_head
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.tfidf import Tfidf
from mmclf.models.weights import as_safetensors, module_sha256
from mmclf.pipeline.artifacts import (
    summary,
    write_config,
    write_model,
    write_predictions,
    write_skipped,
)
from mmclf.pipeline.fit_result import FitResult
from mmclf.pipeline.run_data import RunData
from mmclf.storage.store.entry import Stage, StageTiming

CAPTIONS = ["a cat", "a dog", "a cat and a dog", "a cat"]
SAMPLES = Samples(
    ids=("0.jpg", "1.jpg", "2.jpg", "3.jpg"),
    images=tuple(Path(f"{i}.jpg") for i in range(4)),
    captions=tuple(CAPTIONS),
    labels=np.array([[1, 0], [0, 1], [1, 1], [1, 0]], dtype=np.uint8),
    label_ids=("17", "18"),
    label_names=("cat", "dog"),
    own_val=np.zeros(4, dtype=bool),
    own_test=np.zeros(4, dtype=bool),
)
PARTS = Parts(np.array([0, 1]), np.array([2]), np.array([3]))
RUN_DATA = RunData(SAMPLES, PARTS, None, ())
THRESHOLDS = np.array([0.25, 1 / 3])


class Frozen(nn.Linear):
    """An encoder whose weights are too many to be overlooked in a file."""

    out_dim = 3

    def __init__(self) -> None:
        super().__init__(1000, 3)


@pytest.fixture
def config() -> Config:
    """Of all settings, those that a model is described by are not the usual ones."""
    node: dict[str, Any] = {"_target_": None}
    absent = Encoder(trainable=False, lr=1e-4, part=node)
    return Config(
        data=Source("error", "own", node),
        split=Split("iterative", val=0.1, test=0.1, test_seed=0),
        image=Image(96, 0.5),
        augment=Augment(1, 0, 0.0, 0.0, 0),
        vision=absent,
        text=replace(absent, part={"_target_": "mmclf.models.tfidf.Tfidf", "min_df": 1}),
        fusion={"_target_": "mmclf.models.fusion.Concat"},
        loss=node,
        threshold={"value": 0.4, "empty": "empty"},
        optimizer=node,
        scheduler=node,
        trainer=Trainer(1, 2, 1, None, None, "bf16", refit=False, monitor="val/loss"),
        tracking=Tracking("sqlite:///unused.db", "unused", None),
        seed=0,
        device="cpu",
        output_dir="unused",
        allow_targets=[],
        head=Head(4, 0.1, 0.2),
        at_test=AtTest("as_is", "as_is"),
        encode=Encode(2, "fp32", 1),
        cache="on",
        store=StoreSettings("unused"),
    )


def trained(width: int) -> Classifier:
    return Classifier({"text": nn.Identity()}, Concat([width]), make_head(width, 2, 4, 0.1))


def fit_result_of(
    model: nn.Module, encoders: Mapping[str, Any], trained: Collection[str] = ()
) -> FitResult:
    """The result of one epoch that left this model."""
    outputs = SplitOutputs(0.5, np.zeros((1, 2), np.float32))
    known = {name: describe_encoder(one, trained=name in trained) for name, one in encoders.items()}
    files = {name: data for one in known.values() for name, data in one.files.items()}
    return FitResult(
        train=(outputs,),
        val=(outputs,),
        outputs=dict.fromkeys(("train", "val", "test"), outputs),
        best=1,
        summary=classifier.summary(model),
        encoders={name: one.values for name, one in known.items()},
        model=files | {"classifier.safetensors": as_safetensors(model)},
    )


def described(
    folder: Path,
    config: Config,
    model: nn.Module,
    encoders: Mapping[str, Any],
    trained: Collection[str] = (),
) -> dict[str, Any]:
    result = fit_result_of(model, encoders, trained)
    write_model(folder, config, RUN_DATA, result, "empty", THRESHOLDS, {"text": "bf16"})
    content: dict[str, Any] = json.loads((folder / "model" / "model.json").read_text())
    return content


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_configuration(tmp_path: Path) -> None:
    tree = {"seed": 0, "data": {"root": "é", "label_names": None}}
    write_config(tmp_path, tree, ["seed=0", "+x={a: 1}"])
    assert files(tmp_path) == {"config.yaml", "overrides.yaml"}
    text = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == tree
    assert text.startswith("seed: 0")
    assert yaml.safe_load((tmp_path / "overrides.yaml").read_text()) == ["seed=0", "+x={a: 1}"]


@pytest.mark.parametrize(
    ("names", "expected"), [((), (2, 3)), (("b", "b", "a", "b"), (1, 0))], ids=["image", "named"]
)
def test_predictions(tmp_path: Path, names: tuple[str, ...], expected: tuple[int, int]) -> None:
    logits = {"val": np.array([[1.5, -2]], np.float32), "test": np.array([[0, 3]], np.float32)}
    write_predictions(tmp_path, replace(SAMPLES, groups=names), PARTS, logits)
    assert files(tmp_path) == {"predictions/val.npz", "predictions/test.npz"}
    for part, rows, group in zip(("val", "test"), (PARTS.val, PARTS.test), expected, strict=True):
        with np.load(tmp_path / "predictions" / f"{part}.npz", allow_pickle=False) as found:
            assert found["ids"].tolist() == [SAMPLES.ids[i] for i in rows]
            assert found["groups"].tolist() == [group]
            assert found["logits"].tolist() == logits[part].tolist()
            assert found["labels"].tolist() == SAMPLES.labels[rows].tolist()


def test_a_model_on_tfidf_needs_nothing_else(tmp_path: Path, config: Config) -> None:
    encoder = Tfidf(min_df=1).fit(CAPTIONS)
    model = trained(encoder.out_dim)
    description = described(tmp_path, config, model, {"text": encoder})
    assert files(tmp_path) == {
        "model/classifier.safetensors",
        "model/model.json",
        "model/tfidf.json",
        "model/tfidf_idf.npy",
        "model_summary.txt",
    }
    vocabulary, idf = encoder.state()
    assert json.loads((tmp_path / "model" / "tfidf.json").read_text()) == vocabulary
    assert (
        np.load(tmp_path / "model" / "tfidf_idf.npy", allow_pickle=False).tolist() == idf.tolist()
    )
    again = trained(encoder.out_dim)
    again.load_state_dict(load_file(tmp_path / "model" / "classifier.safetensors"))
    features = {"text": encoder.transform(CAPTIONS)}
    assert torch.equal(again.eval()(features), model.eval()(features))
    assert description["thresholds"] == THRESHOLDS.tolist()
    assert (description["label_ids"], description["label_names"]) == (["17", "18"], ["cat", "dog"])
    assert (description["format"], description["empty"]) == (2, "empty")
    assert description["fusion"] == config.fusion
    assert description["image"] == {"size": 96, "crop": 0.5}
    assert description["precision"] == "bf16"
    assert description["head"] == {"hidden": 4, "dropout": 0.1, "input_dropout": 0.2}
    assert description["encoders"] == {
        "text": {
            "node": config.text.part,
            "out_dim": encoder.out_dim,
            "trained": False,
            "encoding_precision": "bf16",
        }
    }


def test_frozen_encoders_are_named_and_not_copied(tmp_path: Path, config: Config) -> None:
    encoder = Frozen()
    description = described(tmp_path, config, trained(3), {"text": encoder})
    assert description["encoders"]["text"]["sha256"] == module_sha256(encoder)
    assert description["encoders"]["text"]["out_dim"] == 3
    stored = load_file(tmp_path / "model" / "classifier.safetensors")
    assert set(stored) == {"head.0.weight", "head.0.bias", "head.3.weight", "head.3.bias"}
    assert sum(path.stat().st_size for path in (tmp_path / "model").iterdir()) < 5000


def test_a_vocabulary_trained_here_is_kept(tmp_path: Path, config: Config) -> None:
    architecture = {
        "model_type": "bert",
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    encoder = HuggingFaceEncoder(
        "nobody/tiny", "random", architecture=architecture, train_captions=CAPTIONS
    )
    node = {"weights": "random", "name": "nobody/tiny", "pooling": "auto"}
    settings = replace(config, text=replace(config.text, part=node))
    description = described(tmp_path, settings, trained(8), {"text": encoder})
    assert description["encoders"]["text"]["node"] == node | {"pooling": "mean"}
    kept = {name for name in files(tmp_path) if name.startswith("model/tokenizer/")}
    assert "model/tokenizer/tokenizer.json" in kept
    assert not any(name.endswith((".safetensors", ".bin")) for name in kept)


def test_a_trained_encoder_is_stored_with_what_rebuilds_it(tmp_path: Path, config: Config) -> None:
    architecture = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1}
    encoder = HuggingFaceEncoder(
        "nobody/tiny",
        "random",
        architecture=architecture | {"num_attention_heads": 2, "intermediate_size": 8},
        train_captions=CAPTIONS,
    )
    model = Classifier({"text": encoder}, Concat([8]), make_head(8, 2, 4, 0.1))
    node = {"weights": "package", "name": "nobody/tiny"}
    settings = replace(config, text=Encoder(True, 1e-4, node))
    description = described(tmp_path, settings, model, {"text": encoder}, trained=["text"])
    record = description["encoders"]["text"]
    assert (record["trained"], "sha256" in record) == (True, False)
    again = HuggingFaceEncoder(
        "nobody/tiny",
        "random",
        architecture=record["architecture"],
        tokenizer=str(tmp_path / "model" / "tokenizer"),
    )
    stored = load_file(tmp_path / "model" / "classifier.safetensors")
    start = "encoders.text."
    again.load_state_dict({k.removeprefix(start): v for k, v in stored.items() if start in k})
    encoder.eval()
    with torch.inference_mode():
        for caption in CAPTIONS:
            expected = encoder(encoder.tokenize([caption]))
            assert torch.equal(again.eval()(again.tokenize([caption])), expected)


@pytest.mark.parametrize("unreadable", [{}, {2: "x, y: no image", 3: "gone"}])
def test_left_out_images_are_listed(tmp_path: Path, unreadable: dict[int, str]) -> None:
    stage = Stage("pictures", 1, {})
    timing = StageTiming(stage.name, stage.key, 0.0, 4, "2 x CPU", None)
    images = DecodedImages(stage, unreadable, timing, lambda: np.zeros((4, 1, 1, 3), np.uint8))
    write_skipped(tmp_path, replace(RUN_DATA, images=images))
    path = tmp_path / "skipped_images.csv"
    assert path.is_file() == bool(unreadable)
    if unreadable:
        rows = list(csv.reader(path.read_text().splitlines()))
        assert rows == [["ImageID", "reason"], ["2.jpg", "x, y: no image"], ["3.jpg", "gone"]]


def test_the_summary_counts_parameters(tmp_path: Path, config: Config) -> None:
    model = trained(3)
    encoders = {"text": Frozen(), "vision": Tfidf(min_df=1, ngram_max=2).fit(CAPTIONS)}
    text = summary(config, fit_result_of(model, encoders))
    assert text == Naming("text: Frozen", "3 features", "3,003 parameters", "frozen")
    # The terms: and, and dog, cat, cat and, dog.
    assert text == Naming("vision: Tfidf", "5 features", "0 parameters", "frozen")
    # (3 + 1) * 4 of the hidden layer, (4 + 1) * 2 of the last.
    assert "trained: 26 parameters" in text
    described(tmp_path, config, model, {"text": Frozen()})
    assert "trained: 26 parameters" in (tmp_path / "model_summary.txt").read_text()
