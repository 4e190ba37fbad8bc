"""A run's summary: in points, with what one types next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmclf.cli.summary import open_ui, place_words, summary
from mmclf.config.compose import compose
from mmclf.config.schema import Config
from mmclf.pipeline.result import Result

ID = "0123456789abcdef0123456789abcdef"
METRICS = {
    f"{part}/{key}": value
    for part, shift in (("val", 0.01), ("test", 0.0))
    for key, value in {
        "f1_samples": 0.8 + shift,
        "f1_micro": 0.7 + shift,
        "f1_macro": 0.6 + shift,
        "map": 0.5 + shift,
    }.items()
}


def result(folder: Path) -> Result:
    """Of a run of three epochs, the second one best."""
    return Result(
        run_id=ID,
        metrics={**METRICS, "best_epoch": 2.0, "time/wall_s": 3.25, "time/cold_s": 65.0},
        history=[{}, {}, {}],
        ids={},
        logits={},
        labels={},
        thresholds=np.zeros(1),
        label_names=("a",),
        sizes={"train": 1200, "val": 100, "test": 50},
        artifact_uri=(folder / "artifacts" / ID).as_uri(),
    )


def config(*overrides: str) -> Config:
    """The checked config of one run."""
    return compose(overrides).config


def test_a_summary_has_samples_scores_epoch_times_place_and_what_comes_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [line.split() for line in summary(result(tmp_path), config())]
    assert lines[0] == ["samples", "train", "1,200", "val", "100", "test", "50"]
    assert lines[1] == ["samples", "F1", "micro", "F1", "macro", "F1", "mAP"]
    assert lines[2] == ["val", "81.00", "71.00", "61.00", "51.00"]
    assert lines[3] == ["test", "80.00", "70.00", "60.00", "50.00"]
    assert lines[4] == ["best", "epoch", "2", "of", "3"]
    assert {"3.2", "65"} < set(lines[5])
    assert lines[6] == ["artifacts", f"artifacts/{ID}"]
    assert lines[7] == ["next", "mmclf", "predict", ID[:8]]
    assert lines[8][:2] == ["mlflow", "ui"]


def test_no_line_but_the_last_of_a_run_names_its_id_as_scripts_find_it(tmp_path: Path) -> None:
    assert not any(line.startswith("run_id:") for line in summary(result(tmp_path), config()))
    assert max(map(len, summary(result(Path("/")), config()))) <= 80


def test_without_a_known_place_no_artifacts_are_named(tmp_path: Path) -> None:
    unplaced = replace(result(tmp_path), artifact_uri=None)
    assert not any(line.startswith("artifacts") for line in summary(unplaced, config()))


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], []),
        (["output_dir=a b"], ["'output_dir=a b'"]),
        (["output_dir=x", "tracking.uri=sqlite:///y.db"], ["tracking.uri=sqlite:///y.db"]),
    ],
)
def test_the_next_command_finds_the_run(overrides: list[str], words: list[str]) -> None:
    assert place_words(config(*overrides)) == words


def test_the_ui_is_opened_by_make_in_a_checkout_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    assert open_ui(config()) == "make ui"
    assert open_ui(config("output_dir=other")) == "make ui OUTPUTS=other"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Makefile").write_text("ui:\n", encoding="utf-8")
    assert open_ui(config()) == "mlflow ui --backend-store-uri sqlite:///outputs/mlflow.db"
    assert open_ui(config("tracking.uri=http://here:5000")) == "http://here:5000"
