"""The parts that a study's page is written of: escaped text, cells, tables, figures, sections."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from mmclf.plots.words import NO_VALUE, plain
from mmclf.studies.report.page.svg import inline_svg


@dataclass(frozen=True)
class Column:
    """A column's heading, and the group that it stands in, empty for none."""

    title: str
    group: str = ""
    is_number: bool = True


def escaped(text: str) -> str:
    """Any text, as HTML takes it between tags and within quotes."""
    return html.escape(plain(text), quote=True)


def minus(text: str) -> str:
    """Signs of numbers as they are typeset."""
    return text.replace("-", "\N{MINUS SIGN}")


def element(tag: str, inner: str, **attributes: str) -> str:
    """An element around HTML; the attributes' values are escaped, `_` in their names is `-`."""
    told = "".join(
        f' {name.strip("_").replace("_", "-")}="{escaped(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{told}>{inner}</{tag}>"


def number_cell(shown: str, **data: str) -> str:
    """A cell of a number, with the data that a reader by machine wants."""
    return element("td", escaped(minus(shown)), class_="number", **data)


def value_cell(shown: str, value: float, **data: str) -> str:
    """A cell of a tracked value or a mean of some: unrounded in `data-value`, a dash of nan."""
    if math.isnan(value):
        return number_cell(NO_VALUE)
    return number_cell(shown, **data, data_value=repr(float(value)))


def text_cell(inner: str) -> str:
    """A cell of HTML."""
    return element("td", inner)


def row_head(inner: str) -> str:
    """The cell that names its row, of HTML."""
    return element("th", inner, scope="row")


def table(key: str, caption: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """A table in a box of its own that scrolls; the cells are HTML."""
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    inner = (
        f'<table>\n<caption id="{key}-caption"><span>{escaped(caption)}</span></caption>\n'
        f"<thead>\n{_heads(columns)}\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )
    return (
        f'<div class="scroll" id="{key}" role="region" aria-labelledby="{key}-caption" '
        f'tabindex="0">\n{inner}\n</div>'
    )


def _heads(columns: Sequence[Column]) -> str:
    names = "".join(
        element("th", escaped(one.title), scope="col", class_="number" if one.is_number else "text")
        for one in columns
    )
    if not any(one.group for one in columns):
        return f"<tr>{names}</tr>"
    groups: list[tuple[str, int]] = []
    for one in columns:
        if groups and groups[-1][0] == one.group:
            groups[-1] = (one.group, groups[-1][1] + 1)
        else:
            groups.append((one.group, 1))
    above = "".join(
        element("th", escaped(name), scope="colgroup", colspan=str(width), class_="group")
        if name
        else element("td", "", colspan=str(width))
        for name, width in groups
    )
    return f"<tr>{above}</tr>\n<tr>{names}</tr>"


def figure(key: str, chart: Figure, name: str, caption: str, description: str) -> str:
    """A chart in a box that scrolls, its caption beside or below it, `description` in its place."""
    svg = inline_svg(chart, f"{key}-chart", name, plain(description))
    return (
        f'<figure id="{key}">\n'
        f'<div class="scroll" role="region" aria-label="{escaped(name)}" tabindex="0">{svg}</div>\n'
        f"<figcaption><strong>{escaped(name)}.</strong> {escaped(caption)}</figcaption>\n</figure>"
    )


def section(key: str, title: str, parts: Sequence[str]) -> str:
    """A section of the page; the parts are HTML, and a section without any is none."""
    if not any(parts):
        return ""
    inner = "\n".join(part for part in parts if part)
    return f'<section id="{key}">\n<h2>{escaped(title)}</h2>\n{inner}\n</section>'


def folded(summary: str, inner: str) -> str:
    """What opens on demand, and in print."""
    return f"<details>\n<summary>{escaped(summary)}</summary>\n{inner}\n</details>"
