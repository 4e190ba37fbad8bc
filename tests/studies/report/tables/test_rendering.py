"""Any table in every form."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from mmclf.plots.words import points
from mmclf.studies.report.tables.rendering import (
    SUFFIXES,
    Formats,
    in_digits,
    number,
    p_value,
    print_rich,
    render,
    write_forms,
)

TABLE = pd.DataFrame(
    {
        "Arm": ["minilm, seed=1", "a|b_50%"],
        "test/f1": [2 / 3, 0.25],
        "Difference": [0.01234567, math.nan],
        "p (adjusted)": [0.0000123, 0.5],
        "Time (s)": [12.3456, 1.0],
        "Note": ["x", None],
    }
)
FORMATS: Formats = {"Difference": points, "p (adjusted)": p_value, "Time (s)": in_digits(1)}
HEADER = [str(name) for name in TABLE]
FIRST = ["minilm, seed=1", "0.6667", "+1.23", "< 0.001", "12.3", "x"]
SECOND = ["a|b_50%", "0.2500", "-", "0.500", "1.0", "-"]


def test_csv_is_not_rounded() -> None:
    header, first, second = csv.reader(io.StringIO(render(TABLE, "csv", FORMATS)))
    assert header == HEADER
    assert [float(cell) for cell in first[1:5]] == [2 / 3, 0.01234567, 0.0000123, 12.3456]
    assert second == ["a|b_50%", "0.25", "", "0.5", "1.0", ""]


def test_markdown() -> None:
    assert render(TABLE, "md", FORMATS).splitlines() == [
        f"| {' | '.join(HEADER)} |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        f"| {' | '.join(FIRST)} |",
        f"| {' | '.join(SECOND).replace('a|b', 'a' + chr(92) + '|b')} |",
    ]


def test_tab_separated_lines() -> None:
    lines = render(TABLE, "tsv", FORMATS).splitlines()
    assert [line.split("\t") for line in lines] == [HEADER, FIRST, SECOND]


def test_latex() -> None:
    lines = render(TABLE, "tex", FORMATS).splitlines()
    assert lines[0] == r"\begin{tabular}{lrrrrl}"
    assert lines[2] == f"{' & '.join(HEADER)} \\\\"
    numbers = ["0.6667", "$+1.23$", "$< 0.001$", "12.3", "x"]
    assert lines[4] == f"minilm, seed=\\allowbreak{{}}1 & {' & '.join(numbers)} \\\\"
    assert lines[5] == r"a\textbar{}b\_\allowbreak{}50\% & 0.2500 & -- & 0.500 & 1.0 & -- \\"
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]


def test_latex_escapes_what_is_special() -> None:
    line = render(pd.DataFrame({"a": ["a\\b ~ ^ & $ # _ { } %"]}), "tex").splitlines()[4]
    escaped = [
        r"a\textbackslash",
        r"\textasciitilde",
        r"\textasciicircum",
        r"\& \$ \# \_",
        r"\{ \} \%",
    ]
    assert [line.find(part) for part in escaped] == sorted(line.find(part) for part in escaped)
    assert line.find(escaped[0]) == 0


def test_a_row_may_begin_with_a_bracket() -> None:
    # Plain, it would be an argument of the command before it.
    lines = render(pd.DataFrame({"[a]": ["[512]", "[1]"], "b": ["x", "y"]}), "tex").splitlines()
    assert [lines[row][:3] for row in (2, 4, 5)] == ["{[}"] * 3


def test_text_is_aligned() -> None:
    header, first, second = render(TABLE, "text", FORMATS).splitlines()
    assert header.split("  ")[0] == "Arm"
    for name, one, other in zip(HEADER[1:5], FIRST[1:5], SECOND[1:5], strict=True):
        end = header.index(name) + len(name)
        assert first[:end].endswith(one)
        assert second[:end].endswith(other)
    assert first == first.rstrip()


def test_in_a_notebook_text_is_text_and_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = render(TABLE, "text", FORMATS)
    # There rich would show it at once, and leave nothing to be written.
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert render(TABLE, "text", FORMATS) == plain != ""


def test_text_is_never_cut_or_wrapped() -> None:
    name = "[bold]x[/]" * 200
    lines = render(pd.DataFrame({"a": [name], "b": [name]}), "text").splitlines()
    assert lines[1] == f"{name}  {name}"


@pytest.mark.parametrize("form", [*SUFFIXES, "tsv"])
def test_a_table_without_rows_has_its_names(form: str) -> None:
    assert "test/f1" in render(TABLE.iloc[:0], form, FORMATS)


def test_the_forms_are_files(tmp_path: Path) -> None:
    write_forms(tmp_path, "one", {"text": TABLE, "csv": TABLE[["Arm"]]}, FORMATS)
    assert {path.name for path in tmp_path.iterdir()} == {"one.txt", "one.csv"}
    assert (tmp_path / "one.csv").read_text().splitlines()[0] == "Arm"


def terminal(table: pd.DataFrame, width: int, *spare: str) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None)
    print_rich(table, console, "Title", FORMATS, spare=spare)
    return out.getvalue().splitlines()


def test_a_terminal_shows_the_same_cells() -> None:
    shown = "\n".join(terminal(TABLE, 120))
    assert all(cell in shown for cell in [*FIRST, *SECOND, "Title", "test/f1"])


def test_a_narrow_terminal_leaves_out_what_can_be_spared_and_says_so() -> None:
    spare = ("Note", "Time (s)", "Difference")
    fits = max(map(len, terminal(TABLE.drop(columns="Note"), 200)))
    lines = terminal(TABLE, fits, *spare)
    assert max(map(len, lines[:-1])) <= fits
    shown = "\n".join(lines[:-1])
    assert "12.3" in shown
    assert "+1.23" in shown
    assert "Note" not in shown
    assert "Note" in lines[-1]
    assert "12.3" not in "\n".join(terminal(TABLE, fits - 1, *spare))


def test_what_must_stay_whole_is_not_broken() -> None:
    table = pd.DataFrame({"id": ["a" * 32], "name": ["many words " * 9]})
    out = io.StringIO()
    console = Console(file=out, width=50, force_terminal=True, color_system=None)
    print_rich(table, console, "Title", whole=("id",))
    assert "a" * 32 in out.getvalue()


def test_markup_in_a_cell_stays_text() -> None:
    assert "[red]a[/red]" in "\n".join(terminal(pd.DataFrame({"[b]x": ["[red]a[/red]"]}), 80))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (math.nan, "-"), (0.0, "0.000"), (0.0005, "0.001"), (-1.0, "-1.000")],
)
def test_numbers(value: float | None, shown: str) -> None:
    assert number(value, 3) == shown


@pytest.mark.parametrize(("p", "shown"), [(0.04567, "0.046"), (0.0001, "< 0.001"), (1.0, "1.000")])
def test_a_p_is_never_0(p: float, shown: str) -> None:
    assert p_value(p) == shown
