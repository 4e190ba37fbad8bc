"""The results table: one row a tracked run, every cell a tracked value."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmclf.plots.words import p_value

COLUMNS: Mapping[str, str] = {
    "Train loss": "train/loss",
    "Val loss": "val/loss",
    "Train macro F1": "train/f1_macro",
    "Train micro F1": "train/f1_micro",
    "Val macro F1": "val/f1_macro",
    "Val micro F1": "val/f1_micro",
    "Test F1": "test/f1_samples",
    "Running time (s)": "time/cold_s",
}
DIGITS: Mapping[str, int] = {"Running time (s)": 1, "n": 0}
SIGNED = ("Difference", "Diff. low", "Diff. high")
P = "p (Holm)"
NO_VALUE = "-"
HARDWARE = "Hardware"


class Row(Protocol):
    """What the table needs of a tracked run."""

    @property
    def name(self) -> str:
        """The run's name."""

    @property
    def status(self) -> str:
        """FINISHED, FAILED, KILLED or RUNNING."""

    @property
    def metrics(self) -> Mapping[str, float]:
        """The last value of every metric."""

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags `mmclf.*`."""


def results(runs: Sequence[Row]) -> pd.DataFrame:
    """The table with unrounded values, NaN where a run has none; Test F1 is the mean over samples.

    Running time is what the run costs with an empty store; where the times are of different
    hardware, a column names it. A run that is not finished says so.
    """
    rows = [
        {"Model": _label(run)}
        | {column: run.metrics.get(key, float("nan")) for column, key in COLUMNS.items()}
        | {HARDWARE: _hardware(run)}
        for run in runs
    ]
    table = pd.DataFrame(rows, columns=["Model", *COLUMNS, HARDWARE])
    return table if table[HARDWARE].nunique() > 1 else table.drop(columns=HARDWARE)


def _hardware(run: Row) -> str:
    """What the running time is of; a run without one is of the hardware that it started on."""
    return run.tags.get("mmclf.cold_hardware") or run.tags.get("mmclf.hardware") or NO_VALUE


def _label(run: Row) -> str:
    return run.name if run.status == "FINISHED" else f"{run.name} ({run.status})"


def render(table: pd.DataFrame, form: str) -> str:
    """The table as `text`, `md`, `csv` or `tex`; `csv` is unrounded, the others are rounded."""
    return RENDERERS[form](table)


def write_results(folder: Path, runs: Sequence[Row]) -> None:
    """`results.txt`, `results.md`, `results.csv` and `results.tex` in `folder`."""
    table = results(runs)
    for form, suffix in (("text", "txt"), ("md", "md"), ("csv", "csv"), ("tex", "tex")):
        (folder / f"results.{suffix}").write_text(render(table, form), encoding="utf-8")


def rounded(table: pd.DataFrame) -> list[list[str]]:
    """The cells as text: four digits of a loss or an F1, one of a time; differences have a sign."""
    return [
        [_cell(table, column, value) for column, value in zip(table.columns, row, strict=True)]
        for row in table.itertuples(index=False)
    ]


def _cell(table: pd.DataFrame, column: str, value: Any) -> str:
    if is_text(table, column):
        return str(value)
    if column == P and not pd.isna(value):
        return p_value(value)
    told = number(value, DIGITS.get(column, 4))
    return f"+{told}" if column in SIGNED and value > 0 else told


def is_text(table: pd.DataFrame, column: str) -> bool:
    """Whether a column holds texts, not numbers."""
    return not pd.api.types.is_numeric_dtype(table[column])


def number(value: float | None, digits: int) -> str:
    """A value with so many digits after the point, or a dash where there is none."""
    return NO_VALUE if value is None or pd.isna(value) else f"{value:.{digits}f}"


def print_rich(table: pd.DataFrame, console: Console, title: str = "Results") -> None:
    """Print the table for a person at a terminal."""
    shown = Table(title=title, header_style="bold")
    for column in table.columns:
        shown.add_column(column, justify="left" if is_text(table, column) else "right")
    for row in rounded(table):
        shown.add_row(*map(escape, row))
    console.print(shown)


def _text(table: pd.DataFrame) -> str:
    rows = [[str(column) for column in table.columns], *rounded(table)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if is_text(table, column) else cell.rjust(width)
            for column, cell, width in zip(table.columns, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _markdown(table: pd.DataFrame) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    rule = ["---" if is_text(table, column) else "---:" for column in table.columns]
    rows = [[str(column) for column in table.columns], rule, *rounded(table)]
    return "\n".join(line(row) for row in rows) + "\n"


def _csv(table: pd.DataFrame) -> str:
    out = io.StringIO()
    table.to_csv(out, index=False, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
    return out.getvalue()


def _latex(table: pd.DataFrame) -> str:
    def line(cells: Sequence[str]) -> str:
        return " & ".join(_escaped(cell) for cell in cells) + r" \\"

    columns = [str(column) for column in table.columns]
    alignment = "".join("l" if is_text(table, column) else "r" for column in table.columns)
    body = [line(row) for row in rounded(table)]
    return "\n".join(
        [
            r"\begin{tabular}{" + alignment + "}",
            r"\toprule",
            line(columns),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _escaped(text: str) -> str:
    # A bracket at the beginning of a row would be an argument of the line break before it.
    special = {c: rf"\{c}" for c in "&%$#_{}"} | {"[": "{[}", "]": "{]}"}
    special |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(character, character) for character in text)


RENDERERS: Mapping[str, Callable[[pd.DataFrame], str]] = {
    "text": _text,
    "md": _markdown,
    "csv": _csv,
    "tex": _latex,
}
