from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from rich.console import Console

from mmclf.studies.report.table import COLUMNS, number, print_rich, render, results


@dataclass(frozen=True)
class Run:
    name: str
    status: str = "FINISHED"
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


KEYS = [
    "train/loss",
    "val/loss",
    "train/f1_macro",
    "train/f1_micro",
    "val/f1_macro",
    "val/f1_micro",
    "test/f1_samples",
    "time/cold_s",
]
VALUES = [1 / 3, 0.123456, 0.5, 2 / 3, 0.1, 0.87654321, 1.0, 12.3456]
RUNS = [
    Run("minilm, seed=1", metrics=dict(zip(KEYS, VALUES, strict=True)) | {"test/f1_macro": 0.42}),
    Run("a|b_50%", "FAILED", {"train/loss": 0.25}),
]
HEADER = [
    "Model",
    "Train loss",
    "Val loss",
    "Train macro F1",
    "Train micro F1",
    "Val macro F1",
    "Val micro F1",
    "Test F1",
    "Running time (s)",
]
SHOWN = ["0.3333", "0.1235", "0.5000", "0.6667", "0.1000", "0.8765", "1.0000", "12.3"]
FAILED = ["0.2500", "-", "-", "-", "-", "-", "-", "-"]


def test_every_cell_is_the_tracked_value() -> None:
    table = results(RUNS)
    assert list(table.columns) == HEADER
    assert list(COLUMNS.values()) == KEYS
    assert table.iloc[0].tolist() == ["minilm, seed=1", *VALUES]
    assert table.iloc[1, 0] == "a|b_50% (FAILED)"
    assert table.iloc[1, 1] == 0.25
    assert table.iloc[1, 2:].isna().all()


def test_csv_is_not_rounded() -> None:
    text = render(results(RUNS), "csv")
    header, first, second = csv.reader(io.StringIO(text))
    assert header == HEADER
    assert first[0] == "minilm, seed=1"
    assert [float(cell) for cell in first[1:]] == VALUES
    assert second == ["a|b_50% (FAILED)", "0.25", *[""] * 7]


def test_markdown() -> None:
    assert render(results(RUNS), "md").splitlines() == [
        f"| {' | '.join(HEADER)} |",
        f"| --- |{' ---: |' * 8}",
        f"| minilm, seed=1 | {' | '.join(SHOWN)} |",
        f"| a\\|b_50% (FAILED) | {' | '.join(FAILED)} |",
    ]


def test_latex() -> None:
    lines = render(results(RUNS), "tex").splitlines()
    assert lines[0] == r"\begin{tabular}{lrrrrrrrr}"
    assert lines[2] == f"{' & '.join(HEADER)} \\\\"
    assert lines[4] == f"minilm, seed=1 & {' & '.join(SHOWN)} \\\\"
    assert lines[5] == f"a|b\\_50\\% (FAILED) & {' & '.join(FAILED)} \\\\"
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]


def test_latex_escapes_what_is_special() -> None:
    name = "a\\b ~ ^ & $ # _ { } %"
    line = render(results([Run(name)]), "tex").splitlines()[4]
    escaped = r"a\textbackslash{}b \textasciitilde{} \textasciicircum{} \& \$ \# \_ \{ \} \%"
    assert line.startswith(f"{escaped} & -")


def test_a_row_may_begin_with_a_bracket() -> None:
    # Plain, it would be an argument of the line break before it.
    assert render(results([Run("[512]")]), "tex").splitlines()[4].startswith("{[}512{]} & -")


def test_text_is_aligned() -> None:
    header, first, second = render(results(RUNS), "text").splitlines()
    assert header.split("  ")[0] == "Model"
    assert len({len(header), len(first), len(second)}) == 1
    assert first.split()[2:] == SHOWN
    assert second.split()[2:] == FAILED
    for name, cell in zip(HEADER[1:], SHOWN, strict=True):
        end = header.index(name) + len(name)
        assert first[:end].endswith(cell)


@pytest.mark.parametrize("form", ["text", "md", "csv", "tex"])
def test_a_table_of_no_runs(form: str) -> None:
    assert "Running time (s)" in render(results([]), form)


def test_a_terminal_shows_the_same_cells() -> None:
    out = io.StringIO()
    print_rich(results(RUNS), Console(file=out, width=200))
    shown = out.getvalue()
    assert all(cell in shown for cell in [*HEADER, *SHOWN, "a|b_50% (FAILED)"])


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (float("nan"), "-"), (0.0, "0.000"), (0.0005, "0.001"), (-1.0, "-1.000")],
)
def test_numbers(value: float | None, shown: str) -> None:
    assert number(value, 3) == shown
