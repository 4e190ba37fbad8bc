"""Columns of a Parquet file in batches, as large as what they hold and no larger.

A value that many rows have, and a number of rows, take a few bytes of a file. So texts are read as
dictionaries, each with its value once, and both are held against limits before they are unpacked,
as pages are (`parquet_pages`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mmclf.data.arrow import load_pyarrow
from mmclf.data.parquet_pages import check_pages, leaves_of
from mmclf.errors import InputError
from mmclf.storage.file_limits import TABLE_CELLS, TEXT_BYTES, too_large

ROWS = 4096  # of a batch
MIXED_ROWS = 64  # of one with texts that are unpacked at once


def read_batches(path: Path, columns: Sequence[str], rows: int = ROWS) -> Iterator[Any]:
    """Record batches of so many rows of the columns, or of a struct's field as COLUMN.FIELD.

    Raises InputError if they hold more than `TABLE_CELLS` values, or texts of more than
    `TEXT_BYTES`, or a page is too large; what Arrow raises for a damaged file.
    """
    if not columns:
        return
    parquet = load_pyarrow().parquet
    with closing(parquet.ParquetFile(path)) as file:
        leaves = leaves_of(file, columns)
        check_cells(path, file, leaves)
        for group in range(file.metadata.num_row_groups):
            check_pages(path, file, group, leaves)
        names = [
            file.schema.column(leaf).path
            for leaf in leaves
            if file.schema.column(leaf).physical_type == "BYTE_ARRAY"
        ]
        groups = file.metadata.num_row_groups
    size = 0
    for group in range(groups):
        for batch in _group_batches(path, group, columns, names, rows):
            size += sum(map(_text_bytes, batch.columns))
            if size > TEXT_BYTES:
                kind = "texts, each as often as it is there"
                raise InputError(f"{path} {too_large(size, TEXT_BYTES, kind)}")
            yield batch


def _group_batches(
    path: Path, group: int, columns: Sequence[str], texts: Sequence[str], rows: int
) -> Iterator[Any]:
    """The batches of a row group, whose leaf columns `texts` are read as dictionaries."""
    arrow = load_pyarrow()
    done = 0
    with closing(arrow.parquet.ParquetFile(path, read_dictionary=texts, pre_buffer=False)) as file:
        batches = file.iter_batches(
            rows, row_groups=[group], columns=list(columns), use_threads=False
        )
        try:
            for batch in batches:
                yield batch
                done += len(batch)
        except arrow.ArrowNotImplementedError:
            # Of lists of texts that are partly no dictionary: Arrow cannot give them as one.
            if not texts:
                raise
        else:
            return
    left = done
    for batch in _group_batches(path, group, columns, (), MIXED_ROWS):
        new = batch.slice(min(left, len(batch)))
        left -= len(batch) - len(new)
        if len(new):
            yield new


def values(column: Any) -> list[object]:
    """The values of a batch's column; a text that many rows have is one object."""
    types = load_pyarrow().types
    if types.is_dictionary(column.type):
        known = column.dictionary.to_pylist()
        return [None if at is None else known[at] for at in column.indices.to_pylist()]
    is_number = types.is_integer(column.type) or types.is_floating(column.type)
    if is_number and column.null_count == 0:  # faster by way of NumPy
        numbers: list[object] = column.to_numpy().tolist()
        return numbers
    others: list[object] = column.to_pylist()
    return others


def check_cells(path: Path, file: Any, leaves: Sequence[int]) -> None:
    """Raise InputError if the file claims more than `TABLE_CELLS` values of some leaf columns."""
    data = file.metadata
    groups = [data.row_group(number) for number in range(data.num_row_groups)]
    inner = sum(group.column(leaf).num_values for group in groups for leaf in leaves)
    rows = max(data.num_rows, *(group.num_rows for group in groups), 0)
    cells = max(inner, rows * max(len(leaves), 1))
    if cells > TABLE_CELLS or data.num_rows < 0:
        raise InputError(
            f"{path} has {cells:,} values in the columns that are read ({data.num_rows:,} rows), "
            f"expected at most {TABLE_CELLS:,}: name fewer columns, or split it"
        )


def _text_bytes(column: Any) -> int:
    """The bytes of all texts in a column, each as often as it is there."""
    arrow = load_pyarrow()
    types, kind = arrow.types, column.type
    if types.is_dictionary(kind):
        lengths = arrow.compute.binary_length(column.dictionary)
        return int(arrow.compute.sum(lengths.cast("int64").take(column.indices)).as_py() or 0)
    if types.is_struct(kind) or types.is_list(kind) or types.is_large_list(kind):
        inner = column.flatten() if types.is_struct(kind) else [column.flatten()]
        return sum(map(_text_bytes, inner))
    if types.is_map(kind):
        return _text_bytes(column.keys) + _text_bytes(column.items)
    is_text = types.is_string(kind) or types.is_large_string(kind)
    return int(column.nbytes) if is_text else 0
