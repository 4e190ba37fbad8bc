"""The report of an examination as text, as Markdown, as CSV, and in colours on a terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from rich.console import Console

from mmclf.data.checks.examine import Examination
from mmclf.data.checks.labels import LabelRow
from mmclf.studies.report.tables import rendering

COLOURS: Mapping[str, str] = {"ok": "green", "note": "yellow", "bad": "bold red"}
FORMS = ("text", "md")


def render(examination: Examination, form: str) -> str:
    """The whole report as `text` or `md`."""
    texts = {title: rendering.render(table, form) for title, table in _tables(examination).items()}
    if form == "text":
        return "\n".join([*texts.values(), summary(examination) + "\n"])
    blocks = [f"## {title}\n\n{text}" for title, text in texts.items()]
    return "\n".join([f"{summary(examination).capitalize()}.\n", *blocks])


def print_rich(examination: Examination, console: Console) -> None:
    """Print the report for a person at a terminal."""
    for title, table in _tables(examination).items():
        # A ratio and a share follow from the counts.
        spare = [*table.filter(regex="/train$"), *table.filter(regex=" share$")]
        rendering.print_rich(table, console, title, spare=spare, styles=COLOURS)
    console.print(summary(examination), highlight=False)


def summary(examination: Examination) -> str:
    """How many findings are bad and how many are notes, in a line."""
    bad, notes = examination.count("bad"), examination.count("note")
    counts = [f"{bad} bad"] if bad > 0 else []
    counts += [f"{notes} note{'' if notes == 1 else 's'}"] if notes > 0 else []
    end = "a run would stop or mislead" if bad > 0 else "nothing is bad"
    return f"{end}: {', '.join(counts) if counts else 'all is ok'}"


def labels_csv(rows: Sequence[LabelRow]) -> str:
    """The labels as CSV, unrounded; a share is between 0 and 1."""
    return rendering.render(_label_table(rows), "csv")


def _tables(examination: Examination) -> dict[str, pd.DataFrame]:
    """Each table under its title; its cells are one line each."""
    checks = [(check.status, check.name, check.detail) for check in examination.checks]
    shown = {"Findings": pd.DataFrame(checks, columns=["verdict", "what", "found"])}
    if examination.labels:
        shown["Labels"] = _label_table(examination.labels)
    return {
        title: table.map(lambda cell: _printable(cell) if isinstance(cell, str) else cell)
        for title, table in shown.items()
    }


def _label_table(rows: Sequence[LabelRow]) -> pd.DataFrame:
    """A row a label: its positives, its share of each part, and that by the share in train."""
    parts = list(rows[0].counts) if rows else []
    columns = ["verdict", "label", "name", "total", *parts, *(f"{part} share" for part in parts)]
    columns += [*(f"{part}/train" for part in parts if part != "train"), "remark"]
    cells = []
    for row in rows:
        status, remark = row.remark
        ratios = [row.ratios.get(part, math.nan) for part in parts if part != "train"]
        counts, shares = (list(of.values()) for of in (row.counts, row.shares))
        cells.append([status, row.id, row.name, row.total, *counts, *shares, *ratios, remark])
    return pd.DataFrame(cells, columns=columns)


def _printable(text: str) -> str:
    """The text in one line, with unprintable characters as in Python's `repr`."""
    line = " ".join(line.strip() for line in text.splitlines())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
