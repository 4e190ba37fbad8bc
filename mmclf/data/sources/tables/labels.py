"""The labels of a table's rows: of cells that hold several, or of a 0/1 column for each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from mmclf.data.problems import LISTED, listed, repeated, shown, unknown
from mmclf.data.samples import sorted_labels
from mmclf.data.sources.tables.label_spelling import spelling_notes
from mmclf.data.sources.tables.list_cells import are_lists, list_items
from mmclf.data.sources.tables.reader import Cell, Table
from mmclf.data.sources.tables.rows import RowGroups

OTHER_SEPARATORS = ",;|"  # than the space
PAIRS: Mapping[str, str] = {"(": ")", ")": "("}
# What a label column may hold, in any case; as numbers and truth values too.
FLAGS: Mapping[str, int] = {
    **dict.fromkeys(("1", "1.0", "true", "yes"), 1),
    **dict.fromkeys(("0", "0.0", "false", "no"), 0),
}
MISSING, WRONG = 2, 3


@dataclass(frozen=True)
class RowLabels:
    """The labels of R rows, as pairs of a row and a label, each once.

    Args:
        count: number of rows R.
        ids: of the L labels.
        rows: (P,) of the pairs, ascending.
        columns: (P,) of the pairs, indices of `ids`.
        problems: with labels, for an InputError.
        notes: on labels, for people.

    """

    count: int
    ids: tuple[str, ...]
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    problems: Sequence[str] = field(default=())
    notes: Sequence[str] = field(default=())

    @property
    def counts(self) -> NDArray[np.intp]:
        """The number of labels (R,) of each row."""
        return np.bincount(self.rows, minlength=self.count)

    def take(self, rows: NDArray[np.intp]) -> RowLabels:
        """The labels of only the rows at these indices, ascending."""
        place = np.full(self.count, -1)
        place[rows] = np.arange(len(rows))
        kept = place[self.rows] >= 0
        pairs = place[self.rows[kept]], self.columns[kept]
        return RowLabels(len(rows), self.ids, *pairs, self.problems, self.notes)

    def matrix(self, groups: RowGroups) -> NDArray[np.uint8]:
        """The labels (N, L) of samples, each with those of all its rows."""
        labels = np.zeros((len(groups.first), len(self.ids)), dtype=np.uint8)
        labels[groups.sample_of[self.rows], self.columns] = 1
        return labels


def no_labels(count: int, expected: Sequence[str] | None) -> RowLabels:
    """The labels of `count` rows without any."""
    nothing = np.zeros(0, dtype=np.intp)
    return RowLabels(count, tuple(expected) if expected is not None else (), nothing, nothing)


def labels_of_cells(
    table: Table,
    column: str,
    separator: str,
    expected: Sequence[str] | None = None,
    *,
    lower: bool = False,
) -> RowLabels:
    """The labels in a column of lists, or of texts with a `separator` between labels.

    Texts are lists if all of them stand in square brackets. Raises InputError if the column cannot
    be read.

    Args:
        table: with the column.
        column: its name.
        separator: between labels.
        expected: all labels in order; None for those found, sorted.
        lower: whether labels are taken in lower case.

    """
    cells = table.cells(column)
    distinct = list(dict.fromkeys(cells))
    as_lists = are_lists([cell for cell in distinct if isinstance(cell, str)])
    raw = {cell: _raw_labels(cell, separator, as_lists) for cell in distinct}
    problems = _no_lists(table, column, cells, raw)
    sets: dict[Cell, tuple[str, ...]] = {}
    for cell, labels in raw.items():
        stripped = (label.strip() for label in labels if label is not None)
        sets[cell] = tuple(
            dict.fromkeys(label.lower() if lower else label for label in stripped if label)
        )
    found = dict.fromkeys(chain.from_iterable(sets.values()))
    ids = tuple(expected) if expected is not None else sorted_labels(set(found))

    def located() -> Iterator[tuple[str, str]]:
        first = dict(zip(reversed(cells), range(len(cells) - 1, -1, -1), strict=True))
        for cell in distinct:
            for label in sets[cell]:
                yield label, table.location(first[cell])

    if expected is not None and not found.keys() <= set(expected):
        advice = "add them to data.labels, or correct them"
        problems += unknown(located(), expected, table.path, advice)
    elif expected is None:
        problems += _bracket_problems(located(), table)
    if separator == " " and not as_lists:
        problems += _separator_problems(located(), distinct, table)
    # Unknown ones have numbers too, or their rows would seem to have no labels.
    ids = tuple(dict.fromkeys((*ids, *found)))
    number_of = {label: number for number, label in enumerate(ids)}
    numbers = {cell: [number_of[label] for label in labels] for cell, labels in sets.items()}
    counts = np.fromiter((len(numbers[cell]) for cell in cells), np.intp, len(cells))
    columns = chain.from_iterable(numbers[cell] for cell in cells)
    notes = [f"the cells of the column {column!r} are read as lists"] if as_lists else []
    return RowLabels(
        len(cells),
        ids,
        np.repeat(np.arange(len(cells)), counts),
        np.fromiter(columns, np.intp, int(counts.sum())),
        problems,
        [*notes, *spelling_notes(list(found), table.path)],
    )


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
    rows, columns = np.nonzero(flags == 1)
    ids = tuple(dict.fromkeys((*ids, *labels)))
    numbers = np.array([ids.index(label) for label in labels], dtype=np.intp)[columns]
    return RowLabels(len(table), ids, rows, numbers, problems, spelling_notes(labels, table.path))


def _raw_labels(cell: Cell, separator: str, as_lists: bool) -> tuple[str | None, ...]:
    """The labels in a cell as they are written; None alone for what is no list but should be."""
    if isinstance(cell, tuple):
        return cell
    if as_lists:
        items = list_items(cell)
        return items if items is not None else (None,)
    # A space as the separator also means several spaces, and tabs.
    return tuple(cell.split() if separator == " " else cell.split(separator))


def _no_lists(
    table: Table, column: str, cells: Sequence[Cell], raw: Mapping[Cell, tuple[str | None, ...]]
) -> list[str]:
    wrong = [row for row, cell in enumerate(cells) if raw[cell] == (None,)]
    if not wrong:
        return []
    return [
        f"{table.path}, {table.location(wrong[0])}: the column {column!r} holds lists, but "
        f"{shown(cells[wrong[0]])} is none of texts or whole numbers ({len(wrong)} such rows): "
        "expected ['a', 'b'] as Python, JSON or NumPy write it"
    ]


def _bracket_problems(located: Iterator[tuple[str, str]], table: Table) -> list[str]:
    """The problem that labels begin or end with a bracket or a quote."""
    odd = {label: place for label, place in located if _has_bracket(label)}
    if not odd:
        return []
    shown_labels = listed([f"{shown(label)} ({place})" for label, place in odd.items()])
    return [
        f"{table.path}: {len(odd)} labels begin or end with a bracket or a quote ({shown_labels}), "
        "as parts of lists do: write all cells as lists, as ['a', 'b'], or without brackets and "
        "quotes; labels that are meant so are named in data.labels"
    ]


def _has_bracket(label: str) -> bool:
    ends = label[0] + label[-1]
    # "person (standing)" is a label; "(person" is a part of something.
    return any(mark in "[]{}\"'`" or (mark in PAIRS and PAIRS[mark] not in label) for mark in ends)


def _separator_problems(
    located: Iterator[tuple[str, str]], distinct: Sequence[Cell], table: Table
) -> list[str]:
    """The problem that space-separated labels contain another common separator."""
    if not any(isinstance(cell, str) and cell for cell in distinct):
        return []
    for label, place in located:
        for mark in OTHER_SEPARATORS:
            if mark in label:
                return [
                    f"{table.path}, {place}: the label {shown(label)} holds {mark!r}, and "
                    f"data.separator is a space: set data.separator to {mark!r}, or rename the "
                    "label"
                ]
    return []


def _flags(values: Sequence[object]) -> NDArray[np.uint8]:
    """0 and 1, MISSING for empty cells, WRONG for others."""
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
    found = [
        f"{shown(table.columns[names[j]][i])} in the column {names[j]!r} ({table.location(i)})"
        for i, j in pairs
    ]
    more = f" and {len(rows) - LISTED} more" if len(rows) > LISTED else ""
    return [
        f"{table.path}: {len(rows)} cells of label columns are neither 0 nor 1: "
        f"{', '.join(found)}{more}; expected 0 or 1, true or false, yes or no: correct them, or "
        "name other columns by data.label_columns"
    ]
