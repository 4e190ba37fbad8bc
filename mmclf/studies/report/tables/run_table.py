"""The results table: a row a tracked run, every cell a tracked value."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import pandas as pd

from mmclf.studies.report.result.notes import label_notes
from mmclf.studies.report.tables.cost_columns import COST_FORMATS, HEADINGS, cost_cells, known_costs
from mmclf.studies.report.tables.paper_tables import run_paper_table
from mmclf.studies.report.tables.rendering import (
    NO_VALUE,
    SUFFIXES,
    Formats,
    in_digits,
    in_points,
    write_forms,
)
from mmclf.studies.report.tables.safe_text import printable_table

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
FORMATS: Formats = {
    **{name: in_points for name in COLUMNS if name.endswith("F1")},
    "Running time (s)": in_digits(1),
    **COST_FORMATS,
}
HARDWARE = "Hardware"
# Where a terminal is narrow, what it leaves out, the first one first.
SPARE = ("Train loss", "Train macro F1", "Train micro F1", "Val loss")


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
        {"Model": run.name if run.status == "FINISHED" else f"{run.name} ({run.status})"}
        | {column: run.metrics.get(key, math.nan) for column, key in COLUMNS.items()}
        | cost_cells(partial(_metric, run))
        | {HARDWARE: _hardware(run)}
        for run in runs
    ]
    table = pd.DataFrame(rows, columns=["Model", *COLUMNS, *known_costs(rows), HARDWARE])
    return table if table[HARDWARE].nunique() > 1 else table.drop(columns=HARDWARE)


def _metric(run: Row, key: str) -> float:
    return run.metrics.get(key, math.nan)


def _hardware(run: Row) -> str:
    """What the running time is of; a run without one is of the hardware that it started on."""
    return run.tags.get("mmclf.cold_hardware") or run.tags.get("mmclf.hardware") or NO_VALUE


def remarks(runs: Sequence[Row]) -> list[str]:
    """What is to be known of the table's values, a sentence each."""
    return [f"note: {note}" for note in label_notes(runs, ("val", "test"))]


def write_results(folder: Path, runs: Sequence[Row]) -> None:
    """`results.txt`, `results.md`, `results.csv` and `results.tex` in `folder`.

    Costs beside time are in `results.csv` alone.
    """
    table = results(runs)
    shown = table.drop(columns=[*HEADINGS], errors="ignore")
    write_forms(folder, "results", dict.fromkeys(SUFFIXES, shown) | {"csv": table}, FORMATS)
    (folder / "results.tex").write_text(latex_results(shown), encoding="utf-8")


def latex_results(table: pd.DataFrame) -> str:
    """The table, or some columns of it, as a paper has it."""
    shares = [name for name, key in COLUMNS.items() if "/f1" in key]
    return run_paper_table(printable_table(table), shares)
