"""What is trained, at which rate and on which samples: runs on a small demo."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import mmclf
from mmclf.config.schema import Config
from mmclf.errors import InputError
from mmclf.models.build import make_model, make_optimizer
from mmclf.models.classifier import Classifier
from mmclf.models.text import HuggingFaceEncoder
from mmclf.models.vision import TimmEncoder
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.result import Result
from mmclf.pipeline.run_data import load_run_data, open_store
from mmclf.pipeline.stage_runner import StageRunner
from mmclf.storage.tracking import Tracker
from mmclf.training import encode
from mmclf.training.components import ModelComponents, build_components

SMALL = ("data.train=120", "data.test=30", "trainer.epochs=2", "image.size=32")
VISION = ("vision=timm", "vision.name=test_efficientnet", "vision.weights=random")
TEXT = (
    "text=bert",
    "text.weights=random",
    "+text.architecture.hidden_size=16",
    "+text.architecture.num_hidden_layers=1",
    "+text.architecture.num_attention_heads=2",
    "+text.architecture.intermediate_size=16",
    "encode.precision=fp32",
)
BOTH = (*VISION, *TEXT)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def composed(folder: Path, store: Path, *overrides: str) -> Any:
    return mmclf.compose([*SMALL, *overrides, f"output_dir={folder}", f"store.dir={store}"])


def run_small(folder: Path, store: Path, *overrides: str) -> Result:
    return mmclf.run(composed(folder, store, *overrides))


def prepared(config: Config) -> ModelComponents:
    with open_store(config, "2 x CPU") as store:
        data = load_run_data(config, store)
    encodings = {name: ENCODINGS[name].of_run(config, data) for name in config.modalities}
    return build_components(config, encodings, data.labels("train"), config.modalities)


def weights_of(folder: Path, result: Result) -> dict[str, torch.Tensor]:
    path = folder / "artifacts" / result.run_id / "artifacts" / "model" / "classifier.safetensors"
    return dict(load_file(path))


@pytest.mark.parametrize(
    "trained",
    [
        pytest.param(("vision",), id="vision"),
        pytest.param(("text",), id="text", marks=pytest.mark.slow),
        pytest.param(("vision", "text"), id="both", marks=pytest.mark.slow),
    ],
)
def test_what_is_trainable_is_trained_and_the_rest_encoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: tuple[str, ...]
) -> None:
    calls: list[str] = []
    for kind, name in ((TimmEncoder, "vision"), (HuggingFaceEncoder, "text")):

        def counted(self: Any, x: Any, name: str = name, forward: Any = kind.forward) -> Any:
            calls.append(name)
            return forward(self, x)

        monkeypatch.setattr(kind, "forward", counted)
    # What a prediction costs is measured by predictions of its own.
    monkeypatch.setattr(StageRunner, "cost", lambda self, encoded: None)
    switches = [f"{name}.trainable=true" for name in trained]
    store = tmp_path / "store"
    result = run_small(tmp_path, store, *BOTH, *switches)
    stored = {name.split(".")[1] for name in weights_of(tmp_path, result) if "encoders" in name}
    assert stored == set(trained)
    for name in ("vision", "text"):
        # Once for the trial; a frozen one then sees one sample before the clock starts, and every
        # batch of the samples once.
        once = 2 + math.ceil(150 / 32)
        assert (calls.count(name) == once) == (name not in trained)
        assert calls.count(name) >= once
    fresh = prepared(composed(tmp_path, store, *BOTH, *switches).config)
    for name in trained:
        before = dict(fresh.encoders[name].named_parameters())
        after = weights_of(tmp_path, result)
        moved = [k for k, v in before.items() if not torch.equal(after[f"encoders.{name}.{k}"], v)]
        assert len(moved) > len(before) / 2


@pytest.mark.slow
def test_training_end_to_end_repeats_to_the_bit(tmp_path: Path, store: Path) -> None:
    switches = (*BOTH, "vision.trainable=true", "text.trainable=true", "augment=crop_flip")
    runs = [
        run_small(tmp_path, store, *switches, f"seed={seed}", "cache=off") for seed in (1, 1, 2)
    ]
    assert np.array_equal(runs[0].logits["test"], runs[1].logits["test"])
    assert not np.array_equal(runs[0].logits["test"], runs[2].logits["test"])


def test_a_trained_encoder_that_stands_still_is_a_frozen_one(tmp_path: Path, store: Path) -> None:
    """At a vanishing rate the text encoder learns nothing, so the head sees the same features."""
    no_dropout = (
        "+text.architecture.hidden_dropout_prob=0.0",
        "+text.architecture.attention_probs_dropout_prob=0.0",
    )
    frozen = run_small(tmp_path, store, *TEXT, *no_dropout)
    still = run_small(tmp_path, store, *TEXT, *no_dropout, "text.trainable=true", "text.lr=1e-30")
    np.testing.assert_allclose(frozen.logits["test"], still.logits["test"], atol=1e-4)


def model_of(config: Config, trained: bool) -> Classifier:
    inputs = prepared(config)
    dims = dict.fromkeys(inputs.encoders, 16)
    trainable = inputs.trainable if trained else {}
    return make_model(config.fusion, config.head, dims, trainable, 3, ())


def test_each_encoder_has_a_rate_of_its_own(tmp_path: Path, store: Path) -> None:
    switches = ("vision.trainable=true", "text.trainable=true", "vision.lr=3e-4", "text.lr=2e-5")
    config = composed(
        tmp_path, store, *BOTH, *switches, "optimizer.lr=5e-3", "scheduler=one_cycle"
    ).config
    model = model_of(config, trained=True)
    rates = {"vision": config.vision.lr, "text": config.text.lr}
    optimizer, scheduler = make_optimizer(
        config.optimizer, config.scheduler, model, rates, steps=20, allow=()
    )
    assert [group["max_lr"] for group in optimizer.param_groups] == [5e-3, 3e-4, 2e-5]
    counted = [sum(p.numel() for p in group["params"]) for group in optimizer.param_groups]
    parts = [model.head, model.encoders["vision"], model.encoders["text"]]
    assert counted == [sum(p.numel() for p in part.parameters()) for part in parts]
    for _ in range(19):
        optimizer.step()
        scheduler.step()
    ratios = np.array([group["lr"] for group in optimizer.param_groups]) / [5e-3, 3e-4, 2e-5]
    assert (ratios < 1e-3).all()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("constant", [1.0, 1.0, 1.0, 1.0]),
        # (1 + cos(pi t / 4)) / 2 at t = 1 to 4.
        ("cosine", [(1 + math.cos(math.pi * t / 4)) / 2 for t in (1, 2, 3, 4)]),
    ],
)
def test_the_schedule_of_four_steps(
    tmp_path: Path, store: Path, level: str, expected: list[float]
) -> None:
    config = composed(tmp_path, store, f"scheduler={level}", "optimizer.lr=1.0").config
    model = model_of(config, trained=False)
    optimizer, scheduler = make_optimizer(
        config.optimizer, config.scheduler, model, {}, steps=4, allow=()
    )
    rates = []
    for _ in range(4):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx(expected)


def test_one_cycle_warms_up_and_goes_down(tmp_path: Path, store: Path) -> None:
    config = composed(tmp_path, store, "scheduler=one_cycle", "optimizer.lr=1.0").config
    model = model_of(config, trained=False)
    optimizer, scheduler = make_optimizer(
        config.optimizer, config.scheduler, model, {}, steps=101, allow=()
    )
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(100):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(1 / 25)
    assert int(np.argmax(rates)) in (14, 15)  # 15 of 100
    assert max(rates) == pytest.approx(1.0, abs=1e-3)
    assert rates[-1] < 1e-5


def test_every_schedule_takes_any_number_of_steps(tmp_path: Path, store: Path) -> None:
    """torch's one-cycle divides by zero where a phase is of one step."""
    for level in ("constant", "cosine", "one_cycle"):
        config = composed(tmp_path, store, f"scheduler={level}").config
        model = model_of(config, trained=False)
        for steps in range(1, 200):
            optimizer, scheduler = make_optimizer(
                config.optimizer, config.scheduler, model, {}, steps=steps, allow=()
            )
            for _ in range(min(steps, 3)):
                optimizer.step()
                scheduler.step()


def test_a_refit_trains_on_val_too_and_keeps_its_scores(tmp_path: Path, store: Path) -> None:
    plain, again = (
        run_small(tmp_path, store, "trainer.epochs=4", f"trainer.refit={refit}")
        for refit in ("false", "true")
    )
    assert np.array_equal(plain.logits["val"], again.logits["val"])
    assert not np.array_equal(plain.logits["test"], again.logits["test"])
    assert plain.metrics["val/f1_samples"] == again.metrics["val/f1_samples"]
    assert np.array_equal(plain.thresholds, again.thresholds)


def test_a_refit_starts_a_trained_encoder_anew(tmp_path: Path, store: Path) -> None:
    """Two fits from the same start: the refit one does not go on from the first one's end."""
    switches = ("vision.trainable=true", "text=none", "trainer.epochs=1", "vision.lr=1e-30")
    result = run_small(tmp_path, store, *VISION, *switches, "trainer.refit=true")
    inputs = prepared(composed(tmp_path, store, *VISION, *switches).config)
    batches = math.ceil(120 / 64)
    name = "model.bn1.num_batches_tracked"
    assert name in inputs.encoders["vision"].state_dict()
    assert weights_of(tmp_path, result)[f"encoders.vision.{name}"] == batches


def test_early_stopping_ends_the_run(tmp_path: Path, store: Path) -> None:
    result = run_small(
        tmp_path, store, "trainer.epochs=40", "trainer.patience=1", "optimizer.lr=0.1"
    )
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    steps = [m.step for m in tracker.client.get_metric_history(result.run_id, "epoch/val/loss")]
    assert steps == list(range(1, len(steps) + 1))
    assert len(steps) < 40


@pytest.mark.slow
@pytest.mark.parametrize("switch", ["text.trainable=true", "fusion=late", "fusion=gated"])
def test_mixed_precision_is_near_full_precision(tmp_path: Path, store: Path, switch: str) -> None:
    runs = {
        precision: run_small(
            tmp_path, store, *BOTH, switch, f"trainer.precision={precision}", "trainer.epochs=1"
        )
        for precision in ("fp32", "bf16")
    }
    difference = np.abs(runs["fp32"].logits["test"] - runs["bf16"].logits["test"])
    assert 0 < difference.max() < 0.2


def test_fp16_is_refused_on_a_cpu(tmp_path: Path, store: Path) -> None:
    with pytest.raises(InputError, match=r"trainer\.precision=fp16 .*CUDA.*cpu"):
        run_small(tmp_path, store, "trainer.precision=fp16", "device=cpu")


def test_what_has_no_weights_cannot_be_trained(tmp_path: Path, store: Path) -> None:
    with pytest.raises(InputError, match=r"text\.trainable .*Tfidf"):
        run_small(tmp_path, store, "text.trainable=true")


def test_frozen_encoders_are_not_seen_by_the_trainer(tmp_path: Path, store: Path) -> None:
    """A frozen encoder's batch statistics stay those of its weights."""
    inputs = prepared(composed(tmp_path, store, *BOTH, "text.trainable=true").config)
    assert not any(p.requires_grad for p in inputs.encoders["vision"].parameters())
    assert all(p.requires_grad for p in inputs.encoders["text"].parameters())
    assert not inputs.encoders["vision"].training
    assert set(inputs.trainable) == {"text"}
    assert tuple(inputs.encoders["vision"].mean) == encode.IMAGENET_MEAN
