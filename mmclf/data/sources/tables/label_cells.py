"""Labels in the cells of one column, each with all labels of its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from mmclf.data.problems import listed, shown, unknown
from mmclf.data.samples import sorted_labels
from mmclf.data.sources.tables.label_spelling import spelling_notes
from mmclf.data.sources.tables.labels import RowLabels
from mmclf.data.sources.tables.list_cells import are_lists, list_items
from mmclf.data.sources.tables.reader import Cell, Table
from mmclf.errors import InputError

OTHER_SEPARATORS = ",;|"  # than the space
PAIRS: Mapping[str, str] = {"(": ")", ")": "("}


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
    _check_lists(table, column, cells, raw)
    sets: dict[Cell, tuple[str, ...]] = {}
    for cell, labels in raw.items():
        stripped = (label.strip() for label in labels if label is not None)
        sets[cell] = tuple(
            dict.fromkeys(label.lower() if lower else label for label in stripped if label)
        )
    in_cells = dict.fromkeys(chain.from_iterable(sets.values()))
    ids = tuple(expected) if expected is not None else sorted_labels(set(in_cells))
    problems = []
    locations = _Locations(table, cells, sets)
    if expected is None:
        problems += _bracket_problems(
            [label for label in in_cells if _has_bracket(label)], locations
        )
    elif strangers := in_cells.keys() - set(expected):
        advice = "add them to data.labels, or correct them"
        located = [(label, locations.of(label)) for label in in_cells if label in strangers]
        problems += unknown(located, expected, table.path, advice)
    if separator == " " and not as_lists and any(type(c) is str and c for c in distinct):
        problems += _separator_problems(list(in_cells), locations)
    # Unknown ones have numbers too, or their rows would seem to have no labels.
    ids = tuple(dict.fromkeys((*ids, *in_cells)))
    rows, columns = _pairs(cells, sets, ids)
    notes = [f"the cells of the column {column!r} are read as lists"] if as_lists else []
    notes += spelling_notes(list(in_cells), table.path)
    return RowLabels(len(cells), ids, rows, columns, problems, notes)


def _pairs(
    cells: Sequence[Cell], sets: Mapping[Cell, Sequence[str]], ids: Sequence[str]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The row and the label of each label of each cell, by way of the distinct cells."""
    number_of_label = {label: number for number, label in enumerate(ids)}
    number_of_cell = {cell: number for number, cell in enumerate(sets)}
    labels = np.array(
        [number_of_label[label] for own in sets.values() for label in own], dtype=np.intp
    )
    sizes = np.array([len(own) for own in sets.values()], dtype=np.intp)
    ends = np.cumsum(sizes)
    numbers = np.fromiter(map(number_of_cell.__getitem__, cells), np.intp, len(cells))
    counts = sizes[numbers]
    rows = np.repeat(np.arange(len(cells)), counts)
    # A pair's position among the labels of its cell, counted from the end.
    left = np.cumsum(counts)[rows] - np.arange(len(rows))
    return rows, labels[ends[numbers][rows] - left]


def _raw_labels(cell: Cell, separator: str, as_lists: bool) -> tuple[str | None, ...]:
    """The labels in a cell as they are written; None alone for what is no list but should be."""
    if isinstance(cell, tuple):
        return cell
    if as_lists:
        items = list_items(cell)
        return items if items is not None else (None,)
    # A space as the separator also means several spaces, and tabs.
    return tuple(cell.split() if separator == " " else cell.split(separator))


def _check_lists(
    table: Table, column: str, cells: Sequence[Cell], raw: Mapping[Cell, tuple[str | None, ...]]
) -> None:
    wrong = [row for row, cell in enumerate(cells) if raw[cell] == (None,)]
    if wrong:
        raise InputError(
            f"{table.where(wrong[0])}: the column {column!r} holds lists, but "
            f"{shown(cells[wrong[0]])} is none of texts or whole numbers ({len(wrong)} such rows): "
            "expected ['a', 'b'] as Python, JSON or NumPy write it"
        )


class _Locations:
    """Where labels are written first; looked up only where a label has a problem."""

    def __init__(
        self, table: Table, cells: Sequence[Cell], sets: Mapping[Cell, Sequence[str]]
    ) -> None:
        self.table, self._cells, self._sets = table, cells, sets

    @cached_property
    def _rows(self) -> dict[str, int]:
        rows: dict[str, int] = {}
        for row, cell in enumerate(self._cells):
            for label in self._sets[cell]:
                rows.setdefault(label, row)
        return rows

    def of(self, label: str) -> str:
        """The location of a label in the table."""
        return self.table.location(self._rows[label])


def _bracket_problems(odd: Sequence[str], locations: _Locations) -> list[str]:
    """The problem that there are labels that begin or end with a bracket or a quote."""
    if not odd:
        return []
    shown_labels = listed([f"{shown(label)} ({locations.of(label)})" for label in odd])
    return [
        f"{locations.table.path}: {len(odd)} labels begin or end with a bracket or a quote "
        f"({shown_labels}), as parts of lists do: write all cells as lists, as ['a', 'b'], or "
        "without brackets and quotes; labels that are meant so are named in data.labels"
    ]


def _has_bracket(label: str) -> bool:
    ends = label[0] + label[-1]
    # "person (standing)" is a label; "(person" is a part of something.
    return any(mark in "[]{}\"'`" or (mark in PAIRS and PAIRS[mark] not in label) for mark in ends)


def _separator_problems(labels: Sequence[str], locations: _Locations) -> list[str]:
    """The problem that space-separated labels contain another common separator."""
    for label in labels:
        for mark in OTHER_SEPARATORS:
            if mark in label:
                return [
                    f"{locations.table.path}, {locations.of(label)}: the label {shown(label)} "
                    f"holds {mark!r}, and data.separator is a space: set data.separator to "
                    f"{mark!r}, or rename the label"
                ]
    return []
