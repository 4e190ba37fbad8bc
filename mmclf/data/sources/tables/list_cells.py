r"""Lists written as text, as Python, JSON or NumPy write them.

`['a', 'b']` of Python, `["a", "b"]` of JSON, `['a' 'b']` of NumPy. Python would read the last as
one text, 'ab', so what stands between the items is looked at before any of them is read.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence

_TEXT = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_ITEM = rf"(?:{_TEXT}|[+-]?\d+|null|None)"
_ITEMS = re.compile(_ITEM, re.DOTALL)
_WITH_COMMAS = re.compile(rf"\[\s*(?:{_ITEM}(?:\s*,\s*{_ITEM})*\s*,?)?\s*\]", re.DOTALL)
_WITH_SPACES = re.compile(rf"\[\s*{_ITEM}(?:\s+{_ITEM})*\s*\]", re.DOTALL)


def are_lists(cells: Sequence[str]) -> bool:
    """Whether all cells that hold anything stand in square brackets, and one does."""
    is_found = False
    for cell in cells:
        text = cell.strip()
        if text:
            if not (text.startswith("[") and text.endswith("]")):
                return False
            is_found = True
    return is_found


def list_items(cell: str) -> tuple[str, ...] | None:
    """The items of a list of texts and whole numbers; None if the cell is no such list.

    `None` and `null` in a list become empty texts.
    """
    text = cell.strip()
    if not text:
        return ()
    if _WITH_COMMAS.fullmatch(text):
        items = _with_commas(text)
    elif _WITH_SPACES.fullmatch(text):
        items = _read_items(_ITEMS.findall(text))
    else:
        return None
    if items is None:
        return None
    return tuple("" if item is None else str(item) for item in items)


def _with_commas(text: str) -> list[object] | None:
    try:
        items: list[object] = json.loads(text)
    except ValueError:
        return _read_items(_ITEMS.findall(text))
    return items


def _read_items(items: Sequence[str]) -> list[object] | None:
    try:
        return [None if item == "null" else ast.literal_eval(item) for item in items]
    # Of an escape that there is not, a NUL, or a number of thousands of digits, or `007`.
    except (ValueError, SyntaxError):
        return None
