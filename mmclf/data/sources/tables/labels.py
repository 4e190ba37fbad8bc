"""The labels of a table's rows, whatever column they come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mmclf.data.sources.tables.rows import RowGroups


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
        new_row = np.full(self.count, -1)
        new_row[rows] = np.arange(len(rows))
        kept = new_row[self.rows] >= 0
        pairs = new_row[self.rows[kept]], self.columns[kept]
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
