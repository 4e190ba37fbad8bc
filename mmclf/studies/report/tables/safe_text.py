"""Text of other people's in tables: every form shows what it is, and none runs it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

from mmclf.errors import printable, spreadsheet_text

# What begins a tag, an autolink, a comment or an entity; `p < 0.05` begins none.
_HTML = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)")
_LINK_OR_CODE = re.compile(r"\](?=[(\[])|`")


def printable_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table with names and texts in one line each, without what a terminal would obey."""
    return _with_texts(table, printable)


def spreadsheet_table(table: pd.DataFrame) -> pd.DataFrame:
    """The table with names and texts that a spreadsheet shows as they are."""
    return _with_texts(table, spreadsheet_text)


def _with_texts(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    changed = table.map(lambda cell: change(cell) if isinstance(cell, str) else cell)
    return changed.set_axis([change(str(name)) for name in table], axis="columns")


def markdown_text(text: str) -> str:
    """A cell of Markdown without HTML, links and code: they are shown as they are written."""
    whole = _HTML.sub(lambda match: "&lt;" if match[0] == "<" else "&amp;", text)
    return _LINK_OR_CODE.sub(lambda match: f"\\{match[0]}", whole).replace("|", r"\|")
