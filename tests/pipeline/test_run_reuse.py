"""What is stored is not computed again, and nobody can tell from the numbers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from counting import count_computations

import mmclf
from mmclf.pipeline.encodings import ENCODINGS
from mmclf.pipeline.result import Result
from mmclf.pipeline.run_data import load_run_data, open_store
from mmclf.storage.store.store import Store
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.training.components import build_components
from mmclf.training.fit_data import FitData

pytestmark = pytest.mark.slow

SMALL = (
    "data.train=120",
    "data.test=30",
    "trainer.epochs=3",
    "vision=timm",
    "vision.name=test_efficientnet",
    "vision.weights=random",
    "image.size=32",
    "augment.padding=4",
    "head.hidden=16",
    "encode.precision=fp32",
    "device=cpu",
)
VIEWS = ("augment=crop_flip", "augment.padding=4")
HEAVY = ("torch", "timm", "transformers", "torchvision", "accelerate")


def overrides(folder: Path, *more: str) -> list[str]:
    return [*SMALL, f"output_dir={folder}", *more]


def run(folder: Path, *more: str) -> Result:
    return mmclf.run(mmclf.compose(overrides(folder, *more)))


def tracked(folder: Path, result: Result) -> TrackedRun:
    (values,) = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder).get([result.run_id])
    return values


def history(folder: Path, result: Result, key: str) -> list[tuple[int, float]]:
    client = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder).client
    return [(m.step, m.value) for m in client.get_metric_history(result.run_id, key)]


def scores(result: Result) -> dict[str, float]:
    measured = ("time/", "speed/", "cost/")
    return {k: v for k, v in result.metrics.items() if not k.startswith(measured)}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts what is computed: images by view, text, fits."""
    return count_computations(monkeypatch)


def test_an_identical_run_computes_nothing_and_is_a_run_of_its_own(
    tmp_path: Path, calls: Counter[str]
) -> None:
    first = run(tmp_path)
    assert calls == {"view 0": 1, "text": 1, "fit": 1}
    calls.clear()
    again = run(tmp_path)
    assert calls == {}
    assert again.run_id != first.run_id
    assert scores(again) == scores(first)
    for part in ("val", "test"):
        assert np.array_equal(again.logits[part], first.logits[part])
    for key in ("epoch/train/loss", "epoch/val/f1_samples", "epoch/train/map"):
        assert history(tmp_path, again, key) == history(tmp_path, first, key)
    assert [step for step, _ in history(tmp_path, again, "epoch/val/loss")] == [1, 2, 3]


def test_a_stored_run_costs_what_it_cost_when_it_was_made(tmp_path: Path) -> None:
    first, again = run(tmp_path), run(tmp_path)
    for name in ("encode", "fit", "decide", "cold"):
        assert again.metrics[f"time/{name}_s"] == first.metrics[f"time/{name}_s"]
    entries = (tmp_path / "store").glob("*/*/entry.json")
    timings = [json.loads(entry.read_text())["cost"] for entry in entries]
    # Drawing and measuring are no part of what a result costs.
    beside = ("figure", "cost")
    recorded = sum(timing["seconds"] for timing in timings if timing["stage"] not in beside)
    assert again.metrics["time/cold_s"] == pytest.approx(recorded)


def test_tags_say_which_run_made_each_stage(tmp_path: Path) -> None:
    first, again = run(tmp_path), run(tmp_path)
    stages = ("split", "pictures", "vision", "text", "fit", "decide")
    for result, maker in ((first, "this run"), (again, f"run {first.run_id}")):
        tags = tracked(tmp_path, result).tags
        for stage in stages:
            assert f" by {maker} in " in tags[f"mmclf.stage.{stage}"]
        assert tags["mmclf.cold_hardware"] == tags["mmclf.hardware"]


def test_the_artifacts_of_a_stored_run_are_those_of_the_first(tmp_path: Path) -> None:
    folders = [tmp_path / "artifacts" / run(tmp_path).run_id / "artifacts" for _ in range(2)]
    names = [{p.relative_to(f) for p in f.rglob("*") if p.is_file()} for f in folders]
    assert names[0] == names[1]
    for name in names[0]:
        # A zip file and MLflow's description hold times.
        if name.suffix != ".npz" and name.name != "MLmodel":
            assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_losses_and_seeds_share_the_features(tmp_path: Path, calls: Counter[str]) -> None:
    for loss in ("bce", "focal"):
        for seed in (0, 1):
            run(tmp_path, f"loss={loss}", f"seed={seed}")
    # TF-IDF is fitted on the training samples, which the seed draws.
    assert calls == {"view 0": 1, "text": 2, "fit": 4}


def test_thresholds_share_the_fit(tmp_path: Path, calls: Counter[str]) -> None:
    results = [
        run(tmp_path, f"threshold={rule}") for rule in ("fixed", "global_f1", "per_label_f1")
    ]
    assert calls["fit"] == 1
    assert len({result.thresholds.tobytes() for result in results}) == 3
    alone = run(tmp_path / "alone", "threshold=per_label_f1")
    assert scores(alone) == scores(results[2])
    key = "epoch/val/f1_samples"  # of every epoch, at thresholds of its own
    assert history(tmp_path / "alone", alone, key) == history(tmp_path, results[2], key)


def test_more_views_encode_the_new_ones_alone(tmp_path: Path, calls: Counter[str]) -> None:
    run(tmp_path, *VIEWS, "augment.views=2")
    assert calls["view 0"] == calls["view 1"] == 1
    calls.clear()
    run(tmp_path, *VIEWS, "augment.views=4")
    assert calls == {"view 2": 1, "view 3": 1, "fit": 1}


@pytest.mark.parametrize("trained", [(), ("vision.trainable=true",)], ids=["frozen", "trained"])
def test_without_the_store_the_numbers_are_the_same(
    tmp_path: Path, calls: Counter[str], trained: tuple[str, ...]
) -> None:
    stored = run(tmp_path, *VIEWS, "augment.views=2", *trained)
    kept = sorted(path for path in (tmp_path / "store").rglob("*") if path.is_file())
    calls.clear()
    for _ in range(2):
        off = run(tmp_path, *VIEWS, "augment.views=2", *trained, "cache=off")
        assert scores(off) == scores(stored)
        assert np.array_equal(off.logits["test"], stored.logits["test"])
    assert calls["fit"] == calls["text"] == 2
    assert sorted(path for path in (tmp_path / "store").rglob("*") if path.is_file()) == kept


def test_views_are_drawn_in_training_alone(tmp_path: Path) -> None:
    config = mmclf.compose(overrides(tmp_path, *VIEWS, "augment.views=3")).config
    with open_store(config, "hardware") as store:
        data = load_run_data(config, store)
    encodings = {name: ENCODINGS[name].of_run(config, data) for name in config.modalities}
    components = build_components(config, encodings, data.labels("train"), ())
    count = len(data.samples)
    views = [torch.full((count, 1), float(view)) for view in range(3)]
    fit_data = FitData(
        data.samples.ids,
        data.samples.labels,
        dict(data.parts.items()),
        {"vision": views, "text": [torch.zeros(count, 1)]},
    )
    generator = torch.Generator().manual_seed(0)
    seen: dict[str, set[float]] = {}
    for part in ("train", "val", "test"):
        samples = fit_data.training_set(components, [part], torch.device("cpu"))
        rows = torch.arange(len(samples))
        train_batch, _ = samples.train_batch(rows, generator)
        eval_batch, _ = samples.eval_batch(slice(0, len(samples)))
        seen[part] = set(train_batch["vision"].flatten().tolist())
        assert set(eval_batch["vision"].flatten().tolist()) == {0.0}
    assert seen == {"train": {0.0, 1.0, 2.0}, "val": {0.0}, "test": {0.0}}


def test_a_pruned_fit_of_stored_features_is_fitted_again_to_the_same_numbers(
    tmp_path: Path, calls: Counter[str]
) -> None:
    first = run(tmp_path)
    for stage in ("fit", "decide"):
        for file in (tmp_path / "store" / stage).glob("*/*.json"):
            file.unlink()
    calls.clear()
    again = run(tmp_path)
    assert calls == {"fit": 1}
    assert np.array_equal(again.logits["test"], first.logits["test"])


def test_damaged_features_are_encoded_again_with_a_line_of_warning(
    tmp_path: Path, calls: Counter[str], capfd: pytest.CaptureFixture[str]
) -> None:
    first = run(tmp_path)
    (features,) = (tmp_path / "store" / "vision").glob("*/values.npy")
    data = bytearray(features.read_bytes())
    data[-1] ^= 1
    features.write_bytes(data)
    calls.clear()
    capfd.readouterr()
    other = run(tmp_path, "head.dropout=0.5")
    lines = capfd.readouterr().err.splitlines()
    (warned,) = [line for line in lines if line.startswith("mmclf: ") and str(features) in line]
    assert "vision is made again" in warned
    assert calls == {"view 0": 1, "fit": 1}
    assert scores(other) == scores(run(tmp_path / "fresh", "head.dropout=0.5"))
    assert scores(first) == scores(run(tmp_path))


@pytest.mark.parametrize("more", [(), ("at_test.text=shuffled",), ("text=constant",)])
def test_a_stored_run_waits_for_no_library_that_only_computing_needs(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    run(tmp_path, *more)
    script = (
        "import json, sys\n"
        "from mmclf.cli.main import main\n"
        f"status = main({overrides(tmp_path, *more)!r})\n"
        f"print(json.dumps([status, [name for name in {HEAVY!r} if name in sys.modules]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


def test_who_makes_a_split_is_named_though_another_has_fitted_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        # As a process that reads the split of another before that has signed it.
        patched.setattr(Store, "sign", lambda *_: None)
        fitted = tracked(tmp_path, run(tmp_path))
    assert " by no run " in fitted.tags["mmclf.stage.split"]
    shutil.rmtree(tmp_path / "store" / "split")
    maker = tracked(tmp_path, run(tmp_path))
    assert " by this run " in maker.tags["mmclf.stage.split"]
    assert " by no run " in maker.tags["mmclf.stage.fit"]
