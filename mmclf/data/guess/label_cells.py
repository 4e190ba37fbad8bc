"""How labels stand in a table: in the cells of one column, or in a column for each label."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Mapping, Sequence

SEPARATORS = ("|", ";", ",", " ")  # the later ones stand in labels, too
# 0/1 columns, in the words that tables use.
YES_NO = frozenset(["0", "1", "0.0", "1.0", "true", "false", "yes", "no", "t", "f", "y", "n"])


def is_list_column(cells: Sequence[object]) -> bool:
    """Whether the cells are lists, or are written as such in Python, JSON or NumPy."""
    filled = [cell for cell in cells if cell not in (None, "")]
    return bool(filled) and all(
        isinstance(cell, list)
        or (isinstance(cell, str) and cell.strip()[:1] == "[" and cell.strip()[-1:] == "]")
        for cell in filled
    )


def separator_of(texts: Sequence[str]) -> str:
    """What stands between the labels in the cells.

    The mark, of those that labels seldom hold, in the most cells. A space, unless whole cells
    repeat more than the words in them: then each cell is a label of several words, for which a mark
    that stands nowhere is given.
    """
    counts = Counter(mark for mark in SEPARATORS[:-1] for text in texts if mark in text)
    if counts:
        return max(SEPARATORS[:-1], key=lambda mark: counts[mark])
    cells = {text.strip() for text in texts if text.strip()}
    words = {word for cell in cells for word in cell.split()}
    has_spaces = any(" " in cell for cell in cells)
    return "|" if has_spaces and len(words) > len(cells) else " "


def labels_in(cells: Sequence[object], separator: str) -> Counter[str]:
    """How often each label stands in the cells."""
    counted: Counter[str] = Counter()
    for cell in cells:
        counted.update(_labels(cell, separator))
    return counted


def _labels(cell: object, separator: str) -> list[str]:
    if isinstance(cell, str) and cell.strip().startswith("["):
        cell = _parsed_list(cell.strip())
    if isinstance(cell, list):
        return [str(label).strip() for label in cell]
    text = str(cell) if cell is not None else ""
    parts = text.split() if separator == " " else text.split(separator)
    return [part.strip() for part in parts if part.strip()]


def _parsed_list(text: str) -> list[object]:
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, list):
            return value
    return [part.strip("'\" ") for part in text.strip("[]").replace(",", " ").split()]


def yes_no_columns(columns: Mapping[str, Sequence[object]]) -> list[str]:
    """The columns in which every cell is 0 or 1, true or false, yes or no, and not all are empty.

    A column in which all cells are the same counts as well: a label may be rare.
    """
    return [
        name
        for name, cells in columns.items()
        if name and len(cells) > 0 and all(str(cell).strip().casefold() in YES_NO for cell in cells)
    ]


def as_pattern(names: Sequence[str], others: Sequence[str]) -> str | list[str]:
    """`prefix_*` for columns that begin alike, and that no other one does; else their names."""
    for mark in ("_", ".", "-", ":"):
        prefixes = {name.partition(mark)[0] + mark for name in names if mark in name}
        if len(prefixes) == 1 and all(mark in name for name in names) and len(names) > 1:
            (prefix,) = prefixes
            if not any(name.startswith(prefix) for name in others):
                return f"{prefix}*"
    return list(names)
