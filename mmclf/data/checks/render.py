"""The report as text in columns, as Markdown, as CSV, and in colours on a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from mmclf.data.checks.examine import Examination
from mmclf.data.checks.labels import LabelRow

COLOURS: Mapping[str, str] = {"ok": "green", "note": "yellow", "problem": "bold red"}
FINDING_COLUMNS = ("verdict", "what", "found")
WORDS = ("verdict", "what", "found", "label", "name", "remark")  # aligned to the left
Lines = list[list[str]]


def render(examination: Examination, form: str) -> str:
    """The whole report as `text` or `md`."""
    return RENDERERS[form](examination)


def print_rich(examination: Examination, console: Console) -> None:
    """Print the report for a person at a terminal."""
    for title, (header, *rows) in _tables(examination).items():
        shown = Table(title=title, header_style="bold")
        for column in header:
            shown.add_column(column, justify="left" if column in WORDS else "right")
        for verdict, *cells in rows:
            shown.add_row(f"[{COLOURS[verdict]}]{verdict}[/]", *map(escape, cells))
        console.print(shown)
    console.print(summary(examination), highlight=False)


def summary(examination: Examination) -> str:
    """How many problems and notes there are, in a line."""
    problems, notes = examination.count("problem"), examination.count("note")
    told = [
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((problems, "problem"), (notes, "note"))
        if count > 0
    ]
    stops = "a run would stop" if problems > 0 else "nothing would stop a run"
    return f"{stops}: {', '.join(told) if told else 'all is ok'}"


def labels_csv(rows: Sequence[LabelRow]) -> str:
    """The labels as CSV, unrounded; a share is between 0 and 1."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(_label_lines(rows, repr))
    return out.getvalue()


def _tables(examination: Examination) -> dict[str, Lines]:
    """Each table under its title, its columns first; its cells are one line each."""
    checks = [[one.verdict, one.what, one.found] for one in examination.checks]
    tables = {"Findings": [[*FINDING_COLUMNS], *checks]}
    if examination.labels:
        tables["Labels"] = _label_lines(examination.labels, "{:.4f}".format)
    return {
        title: [[_printable(cell) for cell in line] for line in lines]
        for title, lines in tables.items()
    }


def _label_lines(rows: Sequence[LabelRow], spelt: Callable[[float], str]) -> Lines:
    parts = [*rows[0].counts] if rows else []
    others = [part for part in parts if part != "train"]
    header = ["verdict", "label", "name", "total", *parts, *(f"{part} share" for part in parts)]
    header += [f"{part}/train" for part in others] + ["remark"]
    lines = [header]
    for row in rows:
        verdict, remark = row.remark
        cells = [verdict, row.id, row.name, str(row.total)]
        cells += [str(row.counts[part]) for part in parts]
        cells += [spelt(row.shares[part]) for part in parts]
        cells += [spelt(row.ratios[part]) if row.ratios else "-" for part in others]
        lines.append([*cells, remark])
    return lines


def _printable(text: str) -> str:
    """The text in one line, what is not to be printed as Python spells it."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _text(examination: Examination) -> str:
    blocks = []
    for lines in _tables(examination).values():
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        left = [column in WORDS for column in lines[0]]
        padded = [
            "  ".join(
                cell.ljust(width) if is_left else cell.rjust(width)
                for cell, width, is_left in zip(line, widths, left, strict=True)
            ).rstrip()
            for line in lines
        ]
        blocks.append("\n".join(padded) + "\n")
    return "\n".join([*blocks, summary(examination) + "\n"])


def _markdown(examination: Examination) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

    blocks = [f"{summary(examination).capitalize()}.\n"]
    for title, (header, *rows) in _tables(examination).items():
        rule = ["---" if column in WORDS else "---:" for column in header]
        table = "\n".join(line(cells) for cells in (header, rule, *rows))
        blocks.append(f"## {title}\n\n{table}\n")
    return "\n".join(blocks)


RENDERERS: Mapping[str, Callable[[Examination], str]] = {"text": _text, "md": _markdown}
