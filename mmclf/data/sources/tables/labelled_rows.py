"""The rows of a table with their ids, parts and labels: which are used, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mmclf.data.problems import unknown
from mmclf.data.problems import unlabelled as unlabelled_problem
from mmclf.data.sources.tables.labels import RowLabels
from mmclf.data.sources.tables.reader import Table
from mmclf.data.sources.tables.rows import (
    RowGroups,
    differing,
    differing_labels,
    id_problems,
    rows_of_equal,
    single_rows,
)
from mmclf.data.sources.tables.settings import RowSettings
from mmclf.data.sources.tables.table_files import PARTS
from mmclf.errors import InputError


@dataclass(frozen=True)
class LabelledRows:
    """R rows of a table, with the id, the part and the labels of each.

    Args:
        table: the rows.
        ids: (R,) of the rows.
        marks: (R,) the part of each, as the table names it.
        labels: of the rows.
        are_joined: whether rows of one id are one sample.

    """

    table: Table
    ids: Sequence[str]
    marks: Sequence[str]
    labels: RowLabels
    are_joined: bool

    @cached_property
    def samples(self) -> RowGroups:
        """The rows of each sample: those of an equal id, or each row its own."""
        return rows_of_equal(self.ids) if self.are_joined else single_rows(self.ids)

    def take(self, rows: NDArray[np.intp]) -> LabelledRows:
        """Only the rows at these indices, ascending."""
        if len(rows) == len(self.ids):
            return self
        ids, marks = ([values[row] for row in rows.tolist()] for values in (self.ids, self.marks))
        table, labels = self.table.take(rows), self.labels.take(rows)
        return LabelledRows(table, ids, marks, labels, self.are_joined)


def used_rows(
    rows: LabelledRows, unlabelled: str, *, has_labels: bool
) -> tuple[LabelledRows, list[str]]:
    """The rows to use, and notes on the samples without labels.

    Test rows are left out if the table has labels and none of them has one, others as `unlabelled`
    says. Raises InputError if none is left.
    """
    notes, where = [], rows.table.path
    is_used = np.ones(len(rows.table), dtype=np.bool_)
    is_test = np.array([mark == "test" for mark in rows.marks], dtype=np.bool_)
    if has_labels and is_test.any() and not rows.labels.counts[is_test].any():
        is_used &= ~is_test
        notes.append(f"{where}: {is_test.sum()} rows of test have no labels, and are left out")
    sample_of, count = rows.samples.sample_of, len(rows.samples.first)
    is_labelled = (rows.labels.matrix(rows.samples).sum(axis=1) > 0)[sample_of]
    bare = np.unique(sample_of[is_used & ~is_labelled])
    if has_labels and len(bare) and unlabelled != "error":
        done = "kept" if unlabelled == "keep" else "left out"
        notes.append(
            f"{where}: {len(bare)} of {count} samples have no labels, and are {done} "
            f"(data.unlabelled={unlabelled})"
        )
    if unlabelled == "drop":
        is_used &= is_labelled
    if not is_used.any():
        raise InputError(f"{where} has no labelled rows; expected at least one sample")
    return rows.take(np.flatnonzero(is_used)), notes


def row_problems(rows: LabelledRows, settings: RowSettings, unlabelled: str) -> list[str]:
    """What is wrong with the ids, the parts and the labels of the rows."""
    table, samples, labels = rows.table, rows.samples, rows.labels
    problems = [
        *id_problems(rows.ids, table, samples, settings.id_column),
        *_part_problems(rows.marks, table),
        *differing(samples, rows.marks, rows.ids, table, "parts"),
    ]
    matrix = labels.matrix(samples)
    if settings.per == "per_sample":
        problems += differing_labels(samples, labels.counts, matrix, rows.ids, table)
    if unlabelled == "error":
        bare = samples.first[~matrix.any(axis=1)].tolist()
        locations = [table.location(row) for row in bare]
        problems += unlabelled_problem(locations, len(samples.first), table.path)
    return [*problems, *labels.problems]


def _part_problems(marks: Sequence[str], table: Table) -> list[str]:
    if set(marks) <= PARTS.keys():
        return []
    first = dict(zip(reversed(marks), range(len(marks) - 1, -1, -1), strict=True))
    parts = ", ".join(part for part in PARTS if part)
    expected = f"expected {parts}, or nothing for a row that the split decides about"
    located = [(mark, table.location(first[mark])) for mark in dict.fromkeys(marks)]
    return unknown(located, PARTS, table.path, expected, "part")
