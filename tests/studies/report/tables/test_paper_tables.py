"""A study's tables in a paper."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from latex_pages import PLAIN, TWO_COLUMNS, compiled
from made_up import CHANGES, difference, result

from mmclf.plots.words import points
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.paper_tables import paper_tables, run_paper_table

NARROW = ("arm", "mean", "difference", "p")


def rows(text: str) -> list[list[str]]:
    """The cells of a float, the heading first."""
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix(r"\\"))]
        for line in text.splitlines()
        if line.endswith(r"\\")
    ]


def studied(*values: float) -> StudyResult:
    """A study whose arms differ by so much from the baseline."""
    study = result(seeds=5)
    arms = [
        replace(arm, difference=difference(value, 0.01, comparisons=len(values)))
        for arm, value in zip(study.arms[1:], values, strict=False)
    ]
    return replace(study, arms=(study.arms[0], *arms))


def test_a_mean_stands_with_its_deviation_and_the_best_is_bold() -> None:
    study = studied(0.05, 0.001)
    heading, *body = rows(paper_tables(study, NARROW)["results"])
    assert heading == ["Arm", "F1", "Difference", "$p$"]
    metric, best = study.definition.metric, study.best
    assert best is not None
    for arm, row in zip(study.arms, body, strict=True):
        mean = points(arm.mean(metric), signed=False)
        shown = rf"\textbf{{{mean}}}" if arm is best else mean
        assert row[1] == rf"{shown} $\pm$ {points(arm.deviation(metric), signed=False)}"
    # One seed has no deviation.
    _, first, *_ = rows(paper_tables(result(seeds=1), NARROW)["results"])
    assert r"\pm" not in first[1]


def test_what_is_shown_is_black_and_what_is_not_is_grey() -> None:
    _, base, shown, other = rows(paper_tables(studied(-0.05, 0.001), NARROW)["results"])
    assert base[2:] == ["--", "--"]
    assert shown[2].startswith("$-5.00$ [$-")
    assert shown[3] == "$< 0.001$"
    assert other[2].startswith(r"\textcolor{black!55}{$+0.10$ [$-")
    assert other[3].startswith(r"\textcolor{black!55}{")


def test_a_count_of_seeds_that_is_the_same_for_all_stands_in_the_caption() -> None:
    alike = result(seeds=3)
    unlike = result(seeds=3, missing=[(alike.arms[1].name, 0)])
    texts = [paper_tables(study)["results"] for study in (alike, unlike)]
    assert ["$n$" in rows(text)[0] for text in texts] == [False, True]
    assert "over 3 seeds" in texts[0]


def test_columns_stand_in_the_order_that_is_asked_for() -> None:
    asked = ("p", "arm", "time", "ratio", "map", "interval", "verdict", "runs")
    (heading, *_) = rows(paper_tables(studied(0.01), asked)["results"])
    last = ["Time (s)", "Time ratio", "mAP", r"95\,\% interval", "Verdict", "Runs"]
    assert heading == ["$p$", "Arm", *last]


def test_effects_are_a_float_of_their_own() -> None:
    floats = paper_tables(result("ladder", CHANGES))
    labels = [re.findall(r"\\label\{(.*)\}", text) for text in floats.values()]
    name = result("ladder", CHANGES).definition.name
    assert labels == [[f"tab:{name}".replace("_", "-")], [f"tab:{name}-effects".replace("_", "-")]]
    assert rows(floats["effects"])[0][0] == "Effect"


def test_runs_have_f1_in_points_and_the_best_of_each_column_in_bold() -> None:
    table = pd.DataFrame(
        {
            "Model": ["a_1", "b"],
            "Val loss": [0.2, 0.1],
            "Test F1": [0.5, 0.25],
            "Running time (s)": [1.0, 1.0],
        }
    )
    _, first, second = rows(run_paper_table(table, ["Test F1"]))
    assert first == [r"a\_\allowbreak{}1", "0.2000", r"\textbf{50.00}", "1.0"]
    assert second == ["b", r"\textbf{0.1000}", "25.00", "1.0"]


@pytest.mark.slow
@pytest.mark.parametrize("head", [TWO_COLUMNS, PLAIN])
def test_tables_fit_a_column_and_a_page(tmp_path: Path, head: str) -> None:
    study = studied(-0.0512, 0.001, 0.1234)
    for columns in (NARROW, None):
        text = paper_tables(study, columns)["results"]
        assert "Overfull" not in compiled(tmp_path, text, head)


@pytest.mark.slow
def test_names_of_others_compile_and_stay_names(tmp_path: Path) -> None:
    odd = [r"\input{x} 50% & _ ^ ~ # $", "[a] <b> |", '*{"', "née, a-very_long_name=of_an_arm" * 3]
    study = result("grid", {"loss": odd}, question=r"Is \textbf{it} 5 % & $x_1$?")
    assert "Overfull" not in compiled(tmp_path, paper_tables(study, NARROW)["results"])
