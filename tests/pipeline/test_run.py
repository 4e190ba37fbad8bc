"""One run on a small demo: what it tracks, what it leaves behind, that it repeats itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from accelerate.state import AcceleratorState, GradientState, PartialState
from hydra.core.singleton import Singleton
from safetensors.torch import load_file

import mmclf
from mmclf.errors import InputError
from mmclf.evaluation.metrics import set_scores
from mmclf.evaluation.thresholds import decide
from mmclf.pipeline import artifacts, stage_runner
from mmclf.pipeline.result import Result
from mmclf.storage.tracking import Tracker
from mmclf.training.components import ModelComponents, build_components
from mmclf.training.evaluate import NonFiniteLossError

EPOCHS = 3
SMALL = ("data.train=160", "data.test=40", f"trainer.epochs={EPOCHS}")
PER_EPOCH = ("loss", "f1_macro", "f1_micro", "f1_samples", "map")


def run_small(folder: Path, *overrides: str) -> Result:
    return mmclf.run(mmclf.compose([*SMALL, f"output_dir={folder}", *overrides]))


def tracker_of(folder: Path) -> Tracker:
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def both(folder: Path) -> Result:
    """A run of both modalities: a small random net with augmented views, and TF-IDF."""
    return run_small(
        folder,
        "vision=timm",
        "vision.name=test_efficientnet",
        "vision.weights=random",
        "image.size=64",
        "augment=crop_flip",
        "augment.views=2",
        "augment.padding=8",
        "loss=weighted_bce",
        "threshold=fixed_0.45",
        "encode.precision=fp32",
    )


def artifacts_of(folder: Path, result: Result) -> Path:
    return folder / "artifacts" / result.run_id / "artifacts"


def test_every_metric_of_the_interface_is_tracked(folder: Path, both: Result) -> None:
    (tracked,) = tracker_of(folder).get([both.run_id])
    expected = {f"{part}/{name}" for part in ("train", "val", "test") for name in PER_EPOCH}
    expected |= {f"epoch/{part}/{name}" for part in ("train", "val") for name in PER_EPOCH}
    expected |= {
        f"{part}/f1_{average}_{rule}"
        for part in ("val", "test")
        for average in ("macro", "micro", "samples")
        for rule in ("at_0.5", "fitted")
    }
    expected |= {f"test/f1_label/{name}" for name in both.label_names}
    expected |= {
        f"{part}/{name}"
        for part in ("val", "test")
        for name in ("labels_without_positive", "f1_macro_present")
    }
    expected |= {f"time/{name}_s" for name in ("encode", "fit", "decide", "cold", "wall")}
    expected |= {f"speed/{n}_per_s" for n in ("images", "captions", "fit_samples")}
    expected |= {"data/skipped_images", "best_epoch"}
    expected |= {f"cost/{name}" for name in ("parameters", "trained_parameters", "gflops")}
    expected |= {f"cost/{name}" for name in ("latency_ms", "latency_batch_ms")}
    expected |= {"cost/peak_memory_mb", "cost/energy_wh"}
    assert set(tracked.metrics) == expected
    once = {k: v for k, v in tracked.metrics.items() if not k.startswith("epoch/")}
    assert once == pytest.approx(dict(both.metrics))


def state_of_the_process() -> dict[str, object]:
    """What a run could leave behind that a notebook's own code would meet."""
    states = (PartialState, AcceleratorState, GradientState)
    return {
        "accelerate": [dict(state._shared_state) for state in states],
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "gradients": torch.is_grad_enabled(),
        "random": torch.random.get_rng_state().tolist(),
        "threads": torch.get_num_threads(),
        "hydra": {str(kind): one for kind, one in Singleton._instances.items()},
        "environment": dict(os.environ),
        "folder": Path.cwd(),
    }


def test_a_run_leaves_nothing_behind_in_its_process(folder: Path) -> None:
    run_small(folder)
    before = state_of_the_process()
    result = run_small(folder, "trainer.precision=bf16", "seed=5")
    assert state_of_the_process() == before
    mmclf.load(result.run_id, output_dir=folder).predict(captions=["a dog"])
    assert state_of_the_process() == before


def test_curves_have_the_steps_that_were_and_final_values_none(folder: Path, both: Result) -> None:
    tracker = tracker_of(folder)
    best = int(both.metrics["best_epoch"])
    for key in ("train/loss", "val/map", "val/f1_samples"):
        curve = tracker.history(both.run_id, f"epoch/{key}")
        assert [step for step, _ in curve] == [1, 2, 3]
        assert [value for _, value in curve] == [epoch[key] for epoch in both.history]
        assert tracker.history(both.run_id, key) == [(0, both.metrics[key])]
        assert both.metrics[key] == dict(curve)[best]
    assert tracker.history(both.run_id, "test/map") == [(0, both.metrics["test/map"])]


def test_levels_of_groups_and_settings_are_parameters(folder: Path, both: Result) -> None:
    (tracked,) = tracker_of(folder).get([both.run_id])
    expected = {
        "vision": "timm",
        "vision.name": "test_efficientnet",
        "text": "tfidf",
        "loss": "weighted_bce",
        "threshold": "fixed_0.45",
        "threshold.value": "0.45",
    }
    assert expected.items() <= tracked.params.items()
    assert "experiment" not in tracked.params  # no preset was chosen


def test_tags_name_every_group_seed_hardware_and_precision(folder: Path, both: Result) -> None:
    (tracked,) = tracker_of(folder).get([both.run_id])
    chosen = {
        "data": "demo",
        "vision": "timm",
        "text": "tfidf",
        "loss": "weighted_bce",
        "threshold": "fixed_0.45",
        "augment": "crop_flip",
        "seed": "0",
        "precision.vision": "fp32",
    }
    assert {key: tracked.tags[f"mmclf.{key}"] for key in chosen} == chosen
    assert {"mmclf.hardware", "mmclf.versions", "mmclf.arm"} <= set(tracked.tags)
    assert tracked.params["optimizer.lr"] == "0.001"
    assert tracked.parent is None


def test_the_scores_follow_from_the_predictions_left_behind(folder: Path, both: Result) -> None:
    with np.load(artifacts_of(folder, both) / "predictions" / "test.npz") as saved:
        logits, labels, ids = saved["logits"], saved["labels"], saved["ids"]
    assert [str(i) for i in ids] == [f"{25000 + i}.jpg" for i in range(40)]
    probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
    scores = set_scores(labels, decide(probabilities, np.full(labels.shape[1], 0.45), "argmax"))
    for name, value in scores.items():
        assert both.metrics[f"test/{name}"] == pytest.approx(value)


def test_the_artifacts_hold_what_a_prediction_needs(folder: Path, both: Result) -> None:
    root = artifacts_of(folder, both)
    config = yaml.safe_load((root / "config.yaml").read_text())
    assert config["augment"]["views"] == 2
    assert "augment.views=2" in yaml.safe_load((root / "overrides.yaml").read_text())
    assert {p.name for p in (root / "figures").iterdir()} == {
        "label_shares.json",
        "label_shares.png",
        "errors.png",
        "learning_curves.png",
    }
    model = json.loads((root / "model" / "model.json").read_text())
    assert model["thresholds"] == [0.45] * len(both.label_names)
    assert model["label_names"] == list(both.label_names)
    assert len(model["encoders"]["vision"]["sha256"]) == 64
    weights = load_file(root / "model" / "classifier.safetensors")
    assert set(weights) == {f"head.{i}.{kind}" for i in (0, 3) for kind in ("weight", "bias")}
    terms = json.loads((root / "model" / "tfidf.json").read_text())
    idf = np.load(root / "model" / "tfidf_idf.npy", allow_pickle=False)
    assert len(terms) == len(idf) == model["encoders"]["text"]["out_dim"]


def test_the_same_seed_repeats_to_the_bit_and_another_does_not(tmp_path: Path) -> None:
    first = run_small(tmp_path)
    again = run_small(tmp_path, "encode.workers=1", "cache=off")
    other = run_small(tmp_path, "seed=1")
    assert np.array_equal(first.logits["test"], again.logits["test"])
    assert not np.array_equal(first.logits["test"], other.logits["test"])
    # The demo's test set is its own: no seed moves it.
    assert np.array_equal(first.labels["test"], other.labels["test"])
    assert not np.array_equal(first.labels["val"], other.labels["val"])


def test_a_failing_run_is_tracked_with_its_error(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLossError, match=r"epoch \d, step \d+;.* \d+\.jpg"):
        run_small(tmp_path, "optimizer.lr=1e20")
    (tracked,) = tracker_of(tmp_path).runs()
    assert tracked.status == "FAILED"
    assert tracked.tags["mmclf.error"].startswith("NonFiniteLossError: ")


def test_bad_input_leaves_no_single_run_behind_but_a_job_of_a_sweep_does(tmp_path: Path) -> None:
    bad = ("data=competition", f"data.root={tmp_path / 'nowhere'}", f"output_dir={tmp_path}")
    with pytest.raises(InputError, match="there is no folder"):
        mmclf.run(mmclf.compose(bad))
    tracker = tracker_of(tmp_path)
    assert tracker.runs() == []
    parent = tracker.start("sweep", {}, None)
    with pytest.raises(InputError, match="there is no folder"):
        mmclf.run(mmclf.compose([*bad, f"tracking.parent='{parent.id}'"]))
    (child,) = tracker.children(parent.id)
    assert child.status == "FAILED"


def test_bad_settings_of_late_parts_leave_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"optimizer: torch\.optim\.Adam "):
        run_small(tmp_path, "+optimizer.betas=[2,3]")
    assert tracker_of(tmp_path).runs() == []


def test_one_of_several_processes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in launcher.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="2 processes, expected one"):
        run_small(tmp_path)
    assert tracker_of(tmp_path).runs() == []


def test_a_password_in_the_tracking_address_is_not_written_down(tmp_path: Path) -> None:
    tree = {"tracking": {"uri": "https://me:secret@host/mlflow"}}
    artifacts.write_config(tmp_path, tree, ["tracking.uri=https://me:secret@host/mlflow"])
    for name in ("config.yaml", "overrides.yaml"):
        assert "https://me:***@host/mlflow" in (tmp_path / name).read_text()
        assert "secret" not in (tmp_path / name).read_text()


def test_what_a_part_draws_while_it_is_built_does_not_change_the_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = run_small(tmp_path)

    drawn: list[torch.Tensor] = []

    def drawing(*arguments: Any) -> ModelComponents:
        components = build_components(*arguments)
        drawn.append(torch.rand(7))
        return components

    monkeypatch.setattr(stage_runner, "build_components", drawing)
    again = run_small(tmp_path, "cache=off")
    assert len(drawn) == 1
    assert np.array_equal(again.logits["test"], plain.logits["test"])
