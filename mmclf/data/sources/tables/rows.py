"""The rows of a table as samples: a row each, or the rows of an equal id together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.data.problems import listed, repeated, shown
from mmclf.data.sources.tables.reader import Table


@dataclass(frozen=True)
class RowGroups:
    """Which of R rows make up each of N samples.

    Args:
        sample_of: (R,) the sample of each row, numbered in the order in which they appear.
        first: (N,) the first row of each sample.

    """

    sample_of: NDArray[np.intp]
    first: NDArray[np.intp]

    @property
    def are_joined(self) -> bool:
        """Whether a sample has several rows."""
        return len(self.first) < len(self.sample_of)

    @property
    def notes(self) -> list[str]:
        """That rows are joined, for people."""
        if not self.are_joined:
            return []
        return [f"{len(self.sample_of)} rows are {len(self.first)} samples, joined by their ids"]

    @property
    def rows(self) -> list[list[int]]:
        """The rows of each sample, in order."""
        rows: list[list[int]] = [[] for _ in self.first]
        for row, sample in enumerate(self.sample_of.tolist()):
            rows[sample].append(row)
        return rows

    def of_first(self, values: Sequence[str]) -> list[str]:
        """The value of each sample's first row."""
        return [values[row] for row in self.first.tolist()]


def single_rows(names: Sequence[str]) -> RowGroups:
    """Each row a sample of its own, whatever its name."""
    return RowGroups(np.arange(len(names)), np.arange(len(names)))


def rows_of_equal(names: Sequence[str]) -> RowGroups:
    """The rows of equal names together."""
    number_of: dict[str, int] = {}
    sample_of = np.fromiter(
        (number_of.setdefault(name, len(number_of)) for name in names), np.intp, len(names)
    )
    _, first = np.unique(sample_of, return_index=True)
    return RowGroups(sample_of, first.astype(np.intp))


def differing(
    groups: RowGroups, values: Sequence[str], ids: Sequence[str], table: Table, kind: str
) -> list[str]:
    """The problem that rows of one sample differ in what they must have in common, or none.

    Args:
        groups: the rows of each sample.
        values: (R,) what they must have in common.
        ids: (R,) of the rows.
        table: for the location of a row.
        kind: what the values are.

    """
    if not groups.are_joined:
        return []
    first = groups.first[groups.sample_of].tolist()
    rows = [row for row, first_row in enumerate(first) if values[row] != values[first_row]]
    return _differing(rows, first, ids, table, kind)


def differing_labels(
    groups: RowGroups,
    counts: NDArray[np.intp],
    labels: NDArray[np.uint8],
    ids: Sequence[str],
    table: Table,
) -> list[str]:
    """The problem that rows of one sample differ in their labels, or none.

    Args:
        groups: the rows of each sample.
        counts: (R,) of the labels of each row.
        labels: (N, L) of the samples, those of all their rows.
        ids: (R,) of the rows.
        table: for the location of a row.

    """
    if not groups.are_joined:
        return []
    of_sample = labels.sum(axis=1, dtype=np.int64)[groups.sample_of]
    fewer = np.flatnonzero(counts != of_sample)
    first = groups.first[groups.sample_of].tolist()
    problems = _differing(fewer.tolist(), first, ids, table, "labels")
    return [f"{problem}, or join their labels by data.rows=per_label" for problem in problems]


def _differing(
    rows: Sequence[int], first: Sequence[int], ids: Sequence[str], table: Table, kind: str
) -> list[str]:
    if not rows:
        return []
    first_rows = dict.fromkeys(first[row] for row in rows)
    located = [f"{shown(ids[row])} ({table.location(row)})" for row in first_rows]
    return [
        f"{table.path}: {len(located)} ids have rows with different {kind} ({listed(located)}), "
        "and the rows of an id are one sample: give each sample an id of its own"
    ]


def id_problems(
    ids: Sequence[str], table: Table, groups: RowGroups, column: str | None
) -> list[str]:
    """The problems that rows have no id, or that one stands twice and its rows are not joined.

    Args:
        ids: (R,) of the rows.
        table: for the location of a row.
        groups: the rows of each sample.
        column: of the ids; None where they are the images' names or the rows' numbers.

    """
    missing = [table.location(row) for row, row_id in enumerate(ids) if not row_id]
    problems = []
    if missing and column is not None:
        problems.append(
            f"{table.path}: {len(missing)} rows have no id ({listed(missing)}): give them one"
        )
    if groups.are_joined or len(set(ids)) == len(ids):
        return problems
    if column is None:
        advice = (
            "keep one row for each image; or join its rows, by data.rows=per_label if each has a "
            "label of it, by data.id_column and data.caption_use if each has a caption; or give "
            "data.id_column with an id for each row (those of an image stay in one part)"
        )
    else:
        advice = (
            "remove or rename the rest; or join the rows of an id, by data.caption_use=join, first "
            "or each if each has a caption of it, by data.rows=per_label if each has a label"
        )
    return [*problems, *repeated([row_id for row_id in ids if row_id], table.path, advice=advice)]


def group_problems(
    names: Sequence[str], images: Sequence[str], table: Table, column: str
) -> list[str]:
    """The problems that rows have no group, or that one image is in two groups.

    Args:
        names: (R,) of the groups.
        images: (R,) their images; empty for a table without.
        table: for the location of a row.
        column: of the groups.

    """
    missing = [table.location(row) for row, name in enumerate(names) if not name]
    problems = []
    if missing:
        problems.append(
            f"{table.path}: {len(missing)} rows have no group in the column {column!r} "
            f"({listed(missing)}): name one, as that of the image for a row on its own"
        )
    group_of: dict[str, str] = {}
    divided = {
        image: row
        for row, (image, name) in enumerate(zip(images, names, strict=bool(images)))
        if group_of.setdefault(image, name) != name
    }
    if divided:
        several = [f"{shown(image)} ({table.location(row)})" for image, row in divided.items()]
        problems.append(
            f"{table.path}: {len(several)} images are in several groups ({listed(several)}), which "
            f"a split could put into training and test: correct the column {column!r}"
        )
    return problems
