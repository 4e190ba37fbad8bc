"""The results table of tracked runs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from mmclf.studies.report.tables.rendering import SUFFIXES, render
from mmclf.studies.report.tables.run_table import COLUMNS, FORMATS, results, write_results


@dataclass(frozen=True)
class Run:
    name: str
    status: str = "FINISHED"
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


VALUES = [1 / 3, 0.123456, 0.5, 2 / 3, 0.1, 0.87654321, 1.0, 12.3456]
RUNS = [
    Run("minilm", metrics=dict(zip(COLUMNS.values(), VALUES, strict=True)) | {"test/map": 0.42}),
    Run("a|b_50%", "FAILED", {"train/loss": 0.25}),
]


def test_every_cell_is_the_tracked_value() -> None:
    table = results(RUNS)
    assert list(table.columns) == ["Model", *COLUMNS]
    assert list(COLUMNS.values()) == [
        *("train/loss", "val/loss", "train/f1_macro", "train/f1_micro"),
        *("val/f1_macro", "val/f1_micro", "test/f1_samples", "time/cold_s"),
    ]
    assert table.iloc[0].tolist() == ["minilm", *VALUES]
    assert table.iloc[1, 0] == "a|b_50% (FAILED)"
    assert table.iloc[1, 1] == 0.25
    assert table.iloc[1, 2:].isna().all()


def test_times_of_different_hardware_say_of_which() -> None:
    tagged = [
        Run("a", tags={"mmclf.cold_hardware": "one", "mmclf.hardware": "other"}),
        Run("b", tags={"mmclf.hardware": "other"}),
    ]
    assert list(results(tagged)["Hardware"]) == ["one", "other"]
    assert "Hardware" not in results(tagged[:1])


def test_f1_is_in_points_a_time_has_one_digit_and_a_loss_four() -> None:
    cells = render(results(RUNS), "md", FORMATS).splitlines()[2].split(" | ")
    assert cells[1:] == [
        *("0.3333", "0.1235", "50.00", "66.67", "10.00", "87.65", "100.00"),
        "12.3 |",
    ]


@pytest.mark.parametrize("form", SUFFIXES)
def test_a_table_of_no_runs(form: str) -> None:
    assert "Running time (s)" in render(results([]), form, FORMATS)


def test_the_files_of_a_sweep(tmp_path: Path) -> None:
    write_results(tmp_path, RUNS)
    names = {f"results.{suffix}" for suffix in SUFFIXES.values()}
    assert {path.name for path in tmp_path.iterdir()} == names
    read = pd.read_csv(io.StringIO((tmp_path / "results.csv").read_text()))
    assert read.iloc[0].tolist() == ["minilm", *VALUES]
