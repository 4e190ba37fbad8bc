"""Columns of one file, and which of them are wanted: by name, or by what their names begin with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import InputError, suggestion


@dataclass(frozen=True)
class FileColumns:
    """The wanted columns of one file.

    Args:
        path: of the file.
        word: what a row is called in messages, `line` of a text file, `row` of another.
        numbers: (R,) of the rows, as in the file, from 1.
        columns: R values each, by the column's name, in the file's order of columns; texts alone in
            a delimited text, whatever a Parquet or JSON file holds otherwise.

    """

    path: Path
    word: str
    numbers: NDArray[np.int64]
    columns: Mapping[str, Sequence[object]]


def is_prefix(name: str, header: Collection[str]) -> bool:
    """Whether `name` stands for all columns that begin alike, as `label_*`."""
    return name.endswith("*") and name not in header


def matching(name: str, header: Sequence[str]) -> list[str]:
    """The columns of the `header` that are called `name`, or begin alike if it ends with `*`."""
    if is_prefix(name, header):
        return [column for column in header if column.startswith(name[:-1])]
    return [column for column in header if column == name]


def chosen_columns(
    path: Path, header: Sequence[str], wanted: Sequence[str], optional: Collection[str] = ()
) -> list[str]:
    """The names of the wanted columns, each once, in the order of the `header`.

    Raises InputError, with a problem each, for those that are missing or stand twice.

    Args:
        path: of the file.
        header: the names of its columns.
        wanted: names, or `PREFIX*` for all that begin with it.
        optional: those of the wanted that may be missing.

    """
    problems, chosen = [], set()
    for name in dict.fromkeys(wanted):
        matches = matching(name, header)
        chosen.update(matches)
        if not matches and name not in optional:
            prefix = f"that begins with {name[:-1]!r}" if is_prefix(name, header) else repr(name)
            problems.append(f"{path} has no column {prefix}: {suggestion(name, header)}")
        problems += [
            f"{path} has {matches.count(column)} columns {column!r}: rename the others"
            for column in dict.fromkeys(matches)
            if matches.count(column) > 1
        ]
    if problems:
        raise InputError(*problems)
    return [column for column in dict.fromkeys(header) if column in chosen]
