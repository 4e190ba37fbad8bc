"""Tables and sentences as HTML for a notebook; whatever a name holds, it is shown as it is."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from mmclf.plots.words import plain


def table_html(headings: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> Markup:
    """A table; of its columns the first `texts` are left-aligned, as texts are."""

    def line(cells: Sequence[str], tag: str) -> Markup:
        sides = ["left" if column < texts else "right" for column in range(len(cells))]
        pairs = zip(cells, sides, strict=True)
        made = [
            Markup('<{} style="text-align:{}">{}</{}>').format(tag, side, plain(cell), tag)
            for cell, side in pairs
        ]
        return Markup("<tr>{}</tr>").format(Markup().join(made))

    head, body = line(headings, "th"), Markup().join(line(row, "td") for row in rows)
    return Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(head, body)


def paragraph_html(text: str) -> Markup:
    """A paragraph."""
    return Markup("<p>{}</p>").format(plain(text))


def list_html(lines: Sequence[str]) -> Markup:
    """A list; empty without lines."""
    items = [Markup("<li>{}</li>").format(plain(line)) for line in lines]
    return Markup("<ul>{}</ul>").format(Markup().join(items)) if items else escape("")
