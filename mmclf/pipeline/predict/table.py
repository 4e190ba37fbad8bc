"""Predictions as a table in the form in which a source writes labels, and its file."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.data.arrow import load_pyarrow
from mmclf.errors import InputError
from mmclf.evaluation.thresholds import Floats
from mmclf.storage.store.atomic_write import atomic_stream, is_channel

DELIMITERS: Mapping[str, str] = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON_LINES, PARQUET = (".jsonl", ".ndjson"), (".parquet", ".pq")
SUFFIXES = (*DELIMITERS, *JSON_LINES, *PARQUET)
HOLDING_LISTS = (*JSON_LINES, *PARQUET)
SEPARATORS = ("|", ";", ",", "/")  # where a label holds that of the source
DIGITS = 7  # of a probability, as of a logit

Columns = Sequence[tuple[str, Sequence[object]]]  # the name and the cells of each


@dataclass(frozen=True)
class LabelForm:
    """How a source writes labels.

    Args:
        id_column: name of the column of ids.
        label_column: name of the column of labels.
        separator: between labels there.
        flag_prefix: instead, each label has a column of 0 and 1, called after it with this prefix;
            None for one column of labels.
        has_row_per_label: instead, a sample has a row for each of its labels, none without labels.
        as_lists: whether a cell of several labels is a list, which not every form of table holds.

    """

    id_column: str
    label_column: str
    separator: str = " "
    flag_prefix: str | None = None
    has_row_per_label: bool = False
    as_lists: bool = False

    def separator_for(self, labels: Sequence[str]) -> str:
        """The separator, or another where a label holds it; raises InputError if all are held."""
        for mark in (self.separator, *SEPARATORS):
            if not any(mark in label for label in labels):
                return mark
        raise InputError(
            f"the labels hold all of {' '.join(map(repr, SEPARATORS))}, so that none can stand "
            "between them: write --labels ids, or --probabilities"
        )


def label_columns(
    form: LabelForm, ids: Sequence[str], labels: Sequence[str], chosen: Sequence[NDArray[np.int64]]
) -> Columns:
    """The ids, and the chosen columns of L `labels` of each sample as the form writes them."""
    if form.has_row_per_label:
        pairs = [
            (sample_id, labels[j]) for sample_id, own in zip(ids, chosen, strict=True) for j in own
        ]
        return [
            (form.id_column, [sample_id for sample_id, _ in pairs]),
            (form.label_column, [label for _, label in pairs]),
        ]
    if form.flag_prefix is None:
        return [(form.id_column, ids), _labels(form, labels, chosen)]
    flags = np.zeros((len(ids), len(labels)), dtype=np.int64)
    for row, columns in enumerate(chosen):
        flags[row, columns] = 1
    names = [f"{form.flag_prefix}{label}" for label in labels]
    return [(form.id_column, ids), *zip(names, flags.T.tolist(), strict=True)]


def probability_columns(
    form: LabelForm, ids: Sequence[str], labels: Sequence[str], probabilities: Floats
) -> Columns:
    """The ids, and a column of probabilities (N,) for each label."""
    columns = [[_rounded(value) for value in column] for column in probabilities.T]
    return [(form.id_column, ids), *zip(labels, columns, strict=True)]


def top_columns(
    form: LabelForm,
    ids: Sequence[str],
    labels: Sequence[str],
    chosen: Sequence[NDArray[np.int64]],
    probabilities: Floats | None,
) -> Columns:
    """The ids, the chosen labels, best first, and where they are given their probabilities."""
    columns = [(form.id_column, ids), _labels(form, labels, chosen)]
    if probabilities is None:
        return columns
    lists = [
        [_rounded(value) for value in row[best]]
        for row, best in zip(probabilities, chosen, strict=True)
    ]
    if form.as_lists:
        return [*columns, ("probabilities", lists)]
    mark = form.separator_for(labels)
    cells = [mark.join(f"{value:.{DIGITS}g}" for value in values) for values in lists]
    return [*columns, ("probabilities", cells)]


def _labels(
    form: LabelForm, labels: Sequence[str], chosen: Sequence[NDArray[np.int64]]
) -> tuple[str, Sequence[object]]:
    """The column of several labels in each cell: a list, or joined."""
    lists = [[labels[j] for j in columns] for columns in chosen]
    if form.as_lists:
        return form.label_column, lists
    mark = form.separator_for(labels)
    return form.label_column, [mark.join(own) for own in lists]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def check_out(out: Path, *, any_suffix: bool = False) -> None:
    """Raise InputError unless a table can be written to `out`, which may exist.

    `any_suffix`: a file of another suffix than those known is a CSV file. So is a pipe or device.
    """
    suffix = out.suffix.lower()
    if out.is_dir():
        raise InputError(f"--out: {out} is a folder, expected a file: give {out / 'FILE'}")
    if not out.parent.is_dir():
        raise InputError(f"--out: there is no folder {out.parent}: make it, or choose another FILE")
    if suffix not in SUFFIXES and not any_suffix and not is_channel(out):
        known = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
        raise InputError(f"--out: {out} names no form of table, expected a file called {known}")
    if suffix in PARQUET:
        _pyarrow(out)


def write_table(out: Path, columns: Columns) -> None:
    """Write a table in the form that the suffix names, whole or not at all, over an older file."""
    suffix = out.suffix.lower()
    names, cells = [name for name, _ in columns], [column for _, column in columns]
    if suffix in HOLDING_LISTS and len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"--out: two columns are called {twice!r}: write a CSV file instead")
    try:
        with atomic_stream(out) as stream:
            if suffix in PARQUET:
                arrow = _pyarrow(out)
                arrow.parquet.write_table(arrow.table(dict(columns)), stream)
                return
            _write_text(codecs.getwriter("utf-8")(stream), suffix, names, cells)
    except OSError as error:
        raise InputError(
            f"--out: {out} cannot be written ({error.strerror or error}): choose another FILE"
        ) from error


def _write_text(
    text: codecs.StreamWriter, suffix: str, names: Sequence[str], cells: Sequence[Sequence[object]]
) -> None:
    """Write the columns as JSON lines, or as CSV with the delimiter of the suffix."""
    rows = zip(*cells, strict=True)
    if suffix in JSON_LINES:
        for row in rows:
            line = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
            text.write(f"{line}\n")
        return
    writer = csv.writer(text, delimiter=DELIMITERS.get(suffix, ","), lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_text(cell) for cell in row] for row in rows)


def _text(cell: object) -> object:
    return f"{cell:.{DIGITS}g}" if isinstance(cell, float) else cell


def _pyarrow(out: Path) -> Any:
    return load_pyarrow(f"--out: {out}", "give a file *.csv")
