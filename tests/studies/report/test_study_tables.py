"""The tables of a study in every form, and the files that they are written to."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from made_up import CHANGES, result
from rich.console import Console

from mmclf.studies.report.show import show
from mmclf.studies.report.study_tables import (
    FORMATS,
    fair_metrics,
    in_form,
    tables,
    write_tables,
)
from mmclf.studies.report.tables import render


def test_of_two_tables_csv_is_that_of_the_arms_alone(capsys: pytest.CaptureFixture[str]) -> None:
    study = result("ladder", CHANGES)
    show(study, Console(), "csv")
    read = pd.read_csv(io.StringIO(capsys.readouterr().out))
    # A spreadsheet would run a name that begins with +.
    assert [name.lstrip("'") for name in read["Arm"]] == [arm.name for arm in study.arms]
    show(study, Console(), "md")
    assert "| Effect |" in capsys.readouterr().out


def test_a_count_of_runs_is_a_whole_number() -> None:
    text = render(tables(result(seeds=3))["results"], "csv")
    assert text.splitlines()[1].split(",")[1] == "3"


def test_latex_is_narrow_and_has_an_interval_in_one_column() -> None:
    study = result("ladder", CHANGES)
    told = {name: in_form(table, "tex") for name, table in tables(study).items()}
    assert list(told["results"])[:6] == [
        "Arm",
        "n",
        "test/f1_samples",
        "SD",
        "CI 95 %",
        "Difference",
    ]
    assert list(told["effects"]) == ["Effect", "Difference", "Diff. 95 %", "p (Holm)"]
    score = study.arms[0].score
    assert score is not None
    assert told["results"]["CI 95 %"][0] == f"{score.low:.4f} to {score.high:.4f}"
    assert told["results"]["Diff. 95 %"][0] == "-"
    assert in_form(tables(study)["results"], "csv").equals(tables(study)["results"])


def test_a_p_has_three_digits_and_is_never_0_but_in_csv() -> None:
    study = result()
    difference = study.arms[1].difference
    assert difference is not None
    small, large = (
        replace(study.arms[1], difference=replace(difference, p=p)) for p in (0.00001, 0.04321)
    )
    table = tables(replace(study, arms=(study.arms[0], small, large)))["results"]
    rows = [line.split(" | ")[9] for line in render(table, "md", FORMATS).splitlines()[2:]]
    assert rows == ["-", "< 0.001", "0.043"]
    assert ",1e-05," in render(table, "csv")


def test_effects_of_an_earlier_design_are_taken_away(tmp_path: Path) -> None:
    write_tables(tmp_path, result("ladder", CHANGES))
    assert len(list(tmp_path.glob("effects.*"))) == 4
    write_tables(tmp_path, result())
    assert list(tmp_path.glob("effects.*")) == []
    assert {path.name for path in tmp_path.glob("*.csv")} == {"results.csv", "runs.csv"}


@pytest.mark.parametrize("kind", ["samples", "micro", "macro"])
def test_the_same_metric_at_other_thresholds_stands_beside_the_deciding_one(kind: str) -> None:
    for rule in ("", "_at_0.5", "_fitted"):
        found = fair_metrics(result(metric=f"test/f1_{kind}{rule}").definition)
        assert found == {
            "F1 at 0.5": f"test/f1_{kind}_at_0.5",
            "F1 fitted": f"test/f1_{kind}_fitted",
            "mAP": "test/map",
        }
