"""The tables of a study in every form, and the files that they are written to."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from made_up import CHANGES, difference, result
from rich.console import Console

from mmclf.plots.words import points
from mmclf.studies.report.publish import write_tables
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.show import show
from mmclf.studies.report.tables.rendering import render
from mmclf.studies.report.tables.study_tables import (
    FORMATS,
    arms_table,
    beside_metrics,
    effects_table,
    in_form,
    tables,
)

METRIC = "test/f1_samples"
SHOWN = "Difference, F1 points (95 %)"


def with_difference(p_or_value: float, comparisons: int = 1) -> StudyResult:
    """A study whose second arm has this difference."""
    study = result()
    arm = replace(study.arms[1], difference=difference(p_or_value, comparisons=comparisons))
    return replace(study, arms=(study.arms[0], arm, *study.arms[2:]))


def terminal(study: StudyResult, width: int) -> list[str]:
    """The table of arms, line by line, and what was left out."""
    out = io.StringIO()
    show(study, Console(file=out, width=width, force_terminal=True, color_system=None))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    return lines[lines.index("Results, in F1 points") + 1 :]


def test_csv_has_every_interval_and_p() -> None:
    study = with_difference(0.02, comparisons=4)
    row = arms_table(study).iloc[1]
    of = study.arms[1].difference
    assert of is not None
    assert {
        "Difference": of.estimate.value,
        "Diff. low": of.low,
        "Diff. high": of.high,
        "Single low": of.estimate.low,
        "Single high": of.estimate.high,
        "Equal low": of.estimate.value - of.equal_reach,
        "Equal high": of.estimate.value + of.equal_reach,
        "p": of.estimate.p,
        "p (adjusted)": 4 * of.estimate.p,
        "Verdict": "better",
        "Time ratio": 1.5,
        "Time ratio low": 1.2,
        "Time ratio high": 1.9,
    }.items() <= dict(row).items()
    assert row["Diff. low"] < row["Single low"] < row["Equal low"]
    beside = study.arms[1].beside[f"{METRIC}_fitted"]
    assert [row[f"F1 fitted diff.{end}"] for end in ("", " low", " high")] == [
        *(beside.estimate.value, beside.low, beside.high)
    ]
    first = arms_table(study).iloc[0]
    assert (first["Verdict"], first["n"]) == ("baseline", 5)
    assert first[["Difference", "Single low", "p", "Time ratio", "mAP diff."]].isna().all()


@pytest.mark.parametrize(
    ("metric", "names"),
    [
        (METRIC, ["F1 at 0.5", "F1 fitted", "mAP"]),
        (f"{METRIC}_at_0.5", ["F1 own threshold", "F1 fitted", "mAP"]),
    ],
)
def test_what_stands_beside_is_what_does_not_decide(metric: str, names: list[str]) -> None:
    definition = result(metric=metric).definition
    assert list(beside_metrics(definition)) == names
    assert definition.metric not in beside_metrics(definition).values()


def test_of_two_tables_csv_is_that_of_the_arms_alone(capsys: pytest.CaptureFixture[str]) -> None:
    study = result("ladder", CHANGES)
    show(study, Console(), "csv")
    read = pd.read_csv(io.StringIO(capsys.readouterr().out))
    # A spreadsheet would run a name that begins with +.
    assert [name.lstrip("'") for name in read["Arm"]] == [arm.name for arm in study.arms]
    show(study, Console(), "tex")
    assert "Effect &" in capsys.readouterr().out


def test_a_count_of_runs_is_a_whole_number() -> None:
    text = render(tables(result(seeds=3))["results"], "csv")
    assert text.splitlines()[1].split(",")[1] == "3"


def test_for_a_reader_a_difference_stands_with_its_interval_in_points() -> None:
    study = result("ladder", CHANGES)
    by_name = {name: in_form(of, "tex", "F1 points") for name, of in tables(study).items()}
    first = ["Arm", "n", METRIC, SHOWN, "Verdict", "Running time (s)"]
    assert list(by_name["results"])[:6] == first
    assert list(by_name["effects"]) == ["Effect", SHOWN, "Verdict", "Seeds", "p (adjusted)"]
    assert not {"Runs", "Single low", "p", "F1 fitted diff."} & set(by_name["results"])
    of, score = study.arms[1].difference, study.arms[0].score
    assert of is not None
    assert score is not None
    size = f"{points(of.estimate.value)} ({points(of.low)} to {points(of.high)})"
    assert list(by_name["results"][SHOWN][:2]) == ["-", size]
    interval = f"{100 * score.low:.2f} to {100 * score.high:.2f}"
    assert by_name["results"]["CI 95 %"][0] == interval
    assert list(by_name["results"]["Time ratio"][:2]) == ["-", "1.50 (1.20 to 1.90)"]
    assert in_form(tables(study)["results"], "csv", "").equals(tables(study)["results"])


def test_an_effect_has_its_seeds_and_all_its_intervals() -> None:
    table = effects_table(result("ladder", CHANGES, seeds=3))
    assert table is not None
    assert list(table["Seeds"]) == [3] * len(CHANGES)
    assert {"Single low", "Equal high", "p", "p (adjusted)"} < set(table)
    assert effects_table(result()) is None


def test_a_p_has_three_digits_and_is_never_0_but_in_csv() -> None:
    study = with_difference(0.05)
    of = study.arms[1].difference
    assert of is not None
    assert 0 < of.p < 1e-9
    table = tables(study)["results"]
    row = render(in_form(table, "md", "F1 points"), "md", FORMATS).splitlines()[3]
    assert "| < 0.001 |" in row
    assert str(of.p) in render(table, "csv")


def test_what_counts_fits_a_terminal_of_80_columns() -> None:
    *lines, _ = terminal(result(), 80)
    assert max(map(len, lines)) <= 80
    shown = "\n".join(lines)
    for word in ("Arm", "f1_samples", "Difference,", "Verdict", "(s)"):
        assert word in shown.split(), word
    assert "weighted_bce sqrt" in shown
    of = result().arms[1].difference
    assert of is not None
    assert f"{points(of.estimate.value)} ({points(of.low)} to {points(of.high)})" in shown
    assert of.verdict in shown


def test_a_long_name_is_folded_and_nothing_else_is_lost() -> None:
    long = "vision=efficientnet_lite0, text=paraphrase-minilm"
    study = result(factors={"x": ["bce", long]})
    table = terminal(study, 80)
    assert max(map(len, table)) <= 80
    of = study.arms[1].difference
    assert of is not None
    assert f"{points(of.estimate.value)} ({points(of.low)} to {points(of.high)})" in "".join(table)


def test_text_has_what_is_read_first_and_markdown_the_rest() -> None:
    table = tables(result())["results"]
    read_first = ["Arm", METRIC, SHOWN, "Verdict", "Running time (s)"]
    assert list(in_form(table, "text", "F1 points")) == read_first
    assert {"n", "SD", "mAP", "Runs"} <= set(in_form(table, "md", "F1 points"))


@pytest.mark.parametrize("form", ["text", "md", "tex"])
def test_a_reader_has_f1_in_points_and_csv_has_shares(form: str) -> None:
    study = result()
    table, mean = tables(study)["results"], study.arms[0].mean(METRIC)
    rendered = render(in_form(table, form, "F1 points"), form, FORMATS)
    assert f"{100 * mean:.2f}" in rendered
    assert f"{mean:.4f}" not in rendered
    assert str(mean) in render(table, "csv")


def test_arms_that_lack_runs_are_said_below_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    study = result(seeds=2, missing=[("focal", 1)])
    show(study, Console(file=io.StringIO(), width=80, force_terminal=True))
    assert capsys.readouterr().out.splitlines() == ["focal: 1 finished, 1 not run"]


def test_effects_have_files_where_they_are_asked(tmp_path: Path) -> None:
    (tmp_path / "ladder").mkdir()
    write_tables(tmp_path / "ladder", result("ladder", CHANGES))
    assert len(list((tmp_path / "ladder").glob("effects.*"))) == 4
    write_tables(tmp_path, result())
    assert list(tmp_path.glob("effects.*")) == []
    assert {path.name for path in tmp_path.glob("*.csv")} == {"results.csv", "runs.csv"}
