"""Labels in a column for each, of 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mmclf.data.problems import LISTED, repeated, shown, unknown
from mmclf.data.sources.tables.label_spelling import spelling_notes
from mmclf.data.sources.tables.labels import RowLabels
from mmclf.data.sources.tables.reader import Table

# What a label column may hold, in any case; as numbers and truth values too.
FLAGS: Mapping[str, int] = {
    **dict.fromkeys(("1", "1.0", "true", "yes"), 1),
    **dict.fromkeys(("0", "0.0", "false", "no"), 0),
}
MISSING, WRONG = 2, 3


def labels_of_columns(
    table: Table,
    wanted: Sequence[str],
    expected: Sequence[str] | None = None,
    *,
    lower: bool = False,
) -> RowLabels:
    """The labels of 0/1 columns, one for each label, in the order of the columns.

    A row in which all of them are empty has no labels.

    Args:
        table: with the columns.
        wanted: names of columns, or `PREFIX*`: its labels are called as the columns without it.
        expected: all labels in order; None for those of the columns.
        lower: whether labels are taken in lower case.

    """
    names: dict[str, str] = {}
    for name in wanted:
        for column in table.matching(name):
            label = column if name == column else column.removeprefix(name[:-1])
            names.setdefault(column, label.strip().lower() if lower else label.strip())
    labels = list(names.values())
    problems = repeated(labels, table.path, "label column", "name each label once")
    if "" in labels:
        problems.append(f"{table.path}: a label column's name has nothing after its prefix")
    ids = tuple(expected) if expected is not None else tuple(labels)
    if expected is not None:
        advice = "add them to data.labels, or leave their columns out of data.label_columns"
        problems += unknown(((x, "a column") for x in labels), expected, table.path, advice)
    flags = np.zeros((len(table), len(names)), dtype=np.uint8)
    for j, column in enumerate(names):
        flags[:, j] = _flags(table.columns[column])
    is_empty = (flags == MISSING).all(axis=1)
    problems += _flag_problems(table, list(names), flags, is_empty)
    rows, columns = np.nonzero((flags == 1) | (flags == WRONG))  # these have a problem
    ids = tuple(dict.fromkeys((*ids, *labels)))
    numbers = np.array([ids.index(label) for label in labels], dtype=np.intp)[columns]
    return RowLabels(len(table), ids, rows, numbers, problems, spelling_notes(labels, table.path))


def _flags(values: Sequence[object]) -> NDArray[np.uint8]:
    """0 and 1, MISSING for empty cells, WRONG for others."""
    if isinstance(values, str):  # a character for each row
        table = np.array([_flag(chr(code)) for code in range(128)], dtype=np.uint8)
        return table[np.frombuffer(values.encode("ascii"), np.uint8)]
    try:
        codes = {value: _flag(value) for value in set(values)}
    except TypeError:  # lists have no hash
        return np.array([_flag(value) for value in values], dtype=np.uint8)
    return np.fromiter(map(codes.__getitem__, values), np.uint8, len(values))


def _flag(value: object) -> int:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if not isinstance(value, (str, bool, int, float)):
        return WRONG
    text = str(value).strip().casefold()
    return FLAGS.get(text, WRONG) if text else MISSING


def _flag_problems(
    table: Table, names: Sequence[str], flags: NDArray[np.uint8], is_empty: NDArray[np.bool_]
) -> list[str]:
    wrong = (flags == WRONG) | ((flags == MISSING) & ~is_empty[:, None])
    rows, columns = np.nonzero(wrong)
    if len(rows) == 0:
        return []
    pairs = zip(rows[:LISTED].tolist(), columns[:LISTED].tolist(), strict=True)
    matches = [
        f"{shown(table.columns[names[j]][i])} in the column {names[j]!r} ({table.location(i)})"
        for i, j in pairs
    ]
    more = f" and {len(rows) - LISTED} more" if len(rows) > LISTED else ""
    return [
        f"{table.path}: {len(rows)} cells of label columns are neither 0 nor 1: "
        f"{', '.join(matches)}{more}; expected 0 or 1, true or false, yes or no: correct them, or "
        "name other columns by data.label_columns"
    ]
