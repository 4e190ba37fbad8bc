"""Runs of samples of which some have no label: what is predicted, scored and told of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from sklearn.metrics import f1_score

import mmclf
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.evaluation.scores import probabilities_of
from mmclf.evaluation.thresholds import decide
from mmclf.pipeline.empty_predictions import with_empty
from mmclf.pipeline.result import Result
from mmclf.pipeline.run_data import load_run_data, load_samples, open_store
from mmclf.pipeline.stages import StageResolver
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.result.compare import compare

SOURCE = """
import numpy as np
from mmclf.data.samples import Samples, label_matrix

KINDS = [("cat",), ("dog",), ("cat", "dog"), ()]

def load(kinds: int) -> Samples:
    sets = [KINDS[i % kinds] for i in range(120)]
    return Samples(
        ids=tuple(map(str, range(120))),
        images=(),
        captions=tuple(f"a {' and a '.join(one) or 'lawn'} in the sun" for one in sets),
        labels=label_matrix(sets, ("cat", "dog")),
        label_ids=("cat", "dog"),
        label_names=("cat", "dog"),
        own_val=np.zeros(120, dtype=bool),
        own_test=np.arange(120) >= 80,
    )
"""
OWN_RULE = """
import numpy as np

class Half:
    empty = "argmax"

    def fit(self, probabilities, labels):
        return np.full(labels.shape[1], 0.5)

class Asked(Half):
    def __init__(self, empty="argmax"):
        self.empty = empty
"""


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conf")
    (folder / "lawns.py").write_text(SOURCE + OWN_RULE)
    levels = {
        "data/lawns": "{_target_: lawns.load, on_bad_image: error, caption_order: own, kinds: 4}",
        "threshold/half": "_target_: lawns.Half",
        "threshold/asked": "_target_: lawns.Asked",
        "threshold/bare": "_target_: mmclf.evaluation.thresholds.GlobalF1",
    }
    for name, text in levels.items():
        path = folder / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")
    return folder


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


def composed(conf: Path, outputs: Path, *more: str) -> Any:
    given = ["data=lawns", "allow_targets=[lawns]", "vision=none", "text=tfidf", "split=random"]
    return mmclf.compose([*given, f"output_dir={outputs}", *more], config_dir=conf)


def run(conf: Path, outputs: Path, *more: str) -> tuple[Result, TrackedRun]:
    result = mmclf.run(composed(conf, outputs, "trainer.epochs=3", *more))
    return result, tracker_of(outputs).get([result.run_id])[0]


def tracker_of(outputs: Path) -> Tracker:
    return Tracker(f"sqlite:///{outputs}/mlflow.db", "mmclf", outputs)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("threshold=global_f1", "empty"),
        ("threshold=bare", "empty"),
        ("threshold=global_f1 threshold.empty=argmax", "argmax"),
        ("threshold=global_f1 data.kinds=3", "argmax"),
        ("threshold=bare data.kinds=3", "argmax"),
        ("threshold=half", None),
        ("threshold=asked", None),
    ],
)
def test_what_a_prediction_without_labels_becomes(
    conf: Path, outputs: Path, level: str, expected: str | None
) -> None:
    config = composed(conf, outputs, *level.split()).config
    actual = with_empty(config, load_samples(config)).threshold
    assert actual.get("empty") == expected


def keys_of(config: Config) -> tuple[str, str]:
    """Of the fit and of the decision."""
    with open_store(config, "a CPU") as store:
        data = load_run_data(config, store)
        config = with_empty(config, data.samples)
        empty = build(config.threshold, "threshold").empty
        stages = StageResolver(config, data, empty, store.hasher, "a CPU").resolve()
    assert stages is not None
    return stages.fit.key, stages.decide.key


@pytest.mark.parametrize(
    ("kinds", "used", "other"), [(4, "empty", "argmax"), (3, "argmax", "empty")]
)
def test_results_are_those_of_what_is_used(
    conf: Path, outputs: Path, kinds: int, used: str, other: str
) -> None:
    given = f"data.kinds={kinds}", "threshold=global_f1"
    actual, same, another = (
        keys_of(composed(conf, outputs, *given, f"threshold.empty={empty}").config)
        for empty in ("auto", used, other)
    )
    assert actual == same
    assert set(actual).isdisjoint(another)


@pytest.mark.parametrize("level", ["fixed", "per_label_f1"])
def test_a_sample_without_true_and_predicted_labels_is_right(
    conf: Path, outputs: Path, level: str
) -> None:
    result, tracked = run(conf, outputs, f"threshold={level}")
    assert tracked.params["threshold.empty"] == "empty"
    assert tracked.tags["mmclf.zero_division"] == "1"
    artifacts = outputs / "artifacts" / result.run_id / "artifacts"
    assert json.loads((artifacts / "model" / "model.json").read_text())["empty"] == "empty"
    tracked_config = yaml.safe_load((artifacts / "config.yaml").read_text())
    assert tracked_config["threshold"]["empty"] == "empty"
    for part, labels in result.labels.items():
        chances = probabilities_of(result.logits[part])
        sets = decide(chances, result.thresholds, "empty")
        expected = f1_score(labels, sets, average="samples", zero_division=1)
        assert result.metrics[f"{part}/f1_samples"] == pytest.approx(expected)
        assert (~labels.any(axis=1)).sum() > 0
    # One third of the labelled and all of the others, at least, of captions as easy as these.
    assert result.metrics["test/f1_samples"] > 0.5


@pytest.mark.slow
def test_a_report_finds_the_same_scores_and_says_how(conf: Path, outputs: Path) -> None:
    runs = [run(conf, outputs, *more)[1] for more in ([], ["optimizer.lr=0.05"])]
    table = compare(tracker_of(outputs), *runs)
    for arm, tracked in zip(table.arms, runs, strict=True):
        assert arm.score is not None
        assert arm.score.value == pytest.approx(tracked.metrics["test/f1_samples"])
    assert any("zero_division=1" in note for note in table.notes)


def test_where_every_sample_has_a_label_nothing_is_tagged(conf: Path, outputs: Path) -> None:
    _, tracked = run(conf, outputs, "data.kinds=3")
    assert tracked.params["threshold.empty"] == "argmax"
    assert "mmclf.zero_division" not in tracked.tags
