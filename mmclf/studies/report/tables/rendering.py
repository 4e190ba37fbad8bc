"""Any table as text, Markdown, CSV, LaTeX or tab-separated lines, and on a terminal."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mmclf.studies.report.tables.latex import NO_VALUE as NO_LATEX_VALUE
from mmclf.studies.report.tables.latex import LatexColumn, latex_number, latex_text, tabular
from mmclf.studies.report.tables.safe_text import markdown_text, printable_table, spreadsheet_table

Format = Callable[[Any], str]
Formats = Mapping[str, Format]
NO_VALUE = "-"
SMALLEST_P = 0.001
WIDE = 100_000  # characters, which no line of text has
# Characters on a terminal: of a cell that goes on below if it is longer, of one that never does,
# and of a line of a heading.
WIDEST_TEXT, SHORT_TEXT, HEADING = 32, 20, 10
SUFFIXES: Mapping[str, str] = {"text": "txt", "md": "md", "csv": "csv", "tex": "tex"}


def in_digits(digits: int) -> Format:
    """Numbers with so many digits after the point."""
    return lambda value: f"{value:.{digits}f}"


def in_points(share: float) -> str:
    """An F1 or an mAP in points, which are hundredths."""
    return f"{100 * share:.2f}"


def p_value(p: float) -> str:
    """A p in three digits, never 0."""
    return f"< {SMALLEST_P}" if p < SMALLEST_P else f"{p:.3f}"


def number(value: float | None, digits: int) -> str:
    """A value with so many digits after the point, or a dash where there is none."""
    return NO_VALUE if value is None or pd.isna(value) else f"{value:.{digits}f}"


def is_text(column: pd.Series) -> bool:
    """Whether a column holds texts, not numbers."""
    return not pd.api.types.is_numeric_dtype(column)


def cells(table: pd.DataFrame, formats: Formats) -> pd.DataFrame:
    """The cells as text: by the format of their column, else fractions in four digits."""

    def shown(name: str, value: Any) -> str:
        default = in_digits(4) if pd.api.types.is_float_dtype(table[name]) else str
        return NO_VALUE if pd.isna(value) else formats.get(name, default)(value)

    texts = {name: [shown(str(name), value) for value in table[name]] for name in table}
    return pd.DataFrame(texts, columns=table.columns, dtype=str)


def render(table: pd.DataFrame, form: str, formats: Formats | None = None) -> str:
    """The table as `text`, `md`, `csv`, `tex` or `tsv`; `csv` is unrounded."""
    table = printable_table(table)
    if form == "csv":
        return spreadsheet_table(table).to_csv(index=False, lineterminator="\n")
    texts = cells(table, formats or {})
    left = [is_text(table[name]) for name in table]
    lines = [[str(name) for name in table], *texts.to_numpy().tolist()]
    if form == "tsv":
        return "".join("\t".join(line) + "\n" for line in lines)
    if form == "tex":
        return _latex(texts, left)
    return _markdown(lines, left) if form == "md" else _text(texts, left)


def write_forms(
    folder: Path, name: str, tables: Mapping[str, pd.DataFrame], formats: Formats
) -> None:
    """`NAME.SUFFIX` in `folder`, of the table of each form."""
    for form, table in tables.items():
        path = folder / f"{name}.{SUFFIXES[form]}"
        path.write_text(render(table, form, formats), encoding="utf-8")


def print_rich(
    table: pd.DataFrame,
    console: Console,
    title: str,
    formats: Formats | None = None,
    *,
    spare: Sequence[str] = (),
    whole: Sequence[str] = (),
    styles: Mapping[str, str] | None = None,
) -> None:
    """Print the table for a person at a terminal.

    Where it is too wide, columns in `spare` are left out, the first one first, which is said below.
    The cells of columns in `whole` are never broken. `styles` of a cell of the first column, by its
    text.
    """
    table = printable_table(table)
    numeric = {name for name in table if not is_text(table[name])}
    dropped: list[str] = []
    while True:
        kept = table.drop(columns=dropped)
        shown = _terminal_table(cells(kept, formats or {}), numeric, title, whole, styles or {})
        width = Measurement.get(console, console.options.update(max_width=WIDE), shown).maximum
        left = [name for name in spare if name in kept]
        if width <= console.width or not left:
            break
        dropped.append(left[0])
    console.print(shown)
    if dropped:
        words = f"left out, as the terminal is narrow: {', '.join(dropped)}"
        console.print(Text(words, style="dim"))


def _terminal_table(
    texts: pd.DataFrame,
    numeric: Collection[Hashable],
    title: str,
    whole: Sequence[str],
    styles: Mapping[str, str],
) -> Table:
    shown = Table(
        title=Text(title),
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    for name in texts:
        breakable = str(name).replace("/", "/ ") if len(str(name)) > HEADING else str(name)
        heading = wrap(breakable, HEADING, break_long_words=False)
        longest = max(map(len, texts[name]), default=0)
        shown.add_column(
            Text("\n".join(heading)),
            justify="right" if name in numeric else "left",
            overflow="fold",
            no_wrap=name in numeric or name in whole or longest <= SHORT_TEXT,
            max_width=WIDEST_TEXT,
        )
    for first, *rest in texts.to_numpy().tolist():
        shown.add_row(Text(first, style=styles.get(first, "")), *map(Text, rest))
    return shown


def _text(texts: pd.DataFrame, left: Sequence[bool]) -> str:
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name, is_left in zip(texts, left, strict=True):
        shown.add_column(Text(str(name)), justify="left" if is_left else "right", no_wrap=True)
    for row in texts.to_numpy().tolist():
        shown.add_row(*map(Text, row))
    out = io.StringIO()
    Console(file=out, width=WIDE, color_system=None, force_jupyter=False).print(shown)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().split("\n")[:-1])


def _markdown(lines: Sequence[Sequence[str]], left: Sequence[bool]) -> str:
    rule = ["---" if is_left else "---:" for is_left in left]
    escaped = [[markdown_text(cell) for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in [escaped[0], rule, *escaped[1:]])


def _latex(texts: pd.DataFrame, left: Sequence[bool]) -> str:
    columns = []
    for name, is_left in zip(texts, left, strict=True):
        spell = latex_text if is_left else latex_number
        cells = [NO_LATEX_VALUE if cell == NO_VALUE else spell(cell) for cell in texts[name]]
        columns.append(LatexColumn(latex_text(str(name)), cells, is_left))
    return tabular(columns)
