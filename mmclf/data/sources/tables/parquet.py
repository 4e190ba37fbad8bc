"""Reader of Parquet files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmclf.data.arrow import load_pyarrow
from mmclf.data.image_locations import ParquetCell
from mmclf.data.sources.tables.class_labels import class_names, with_names
from mmclf.data.sources.tables.columns import FileColumns, chosen_columns
from mmclf.data.sources.tables.parquet_batches import check_cells, read_batches, values
from mmclf.errors import InputError

PARQUET = (".parquet", ".pq")


def read_parquet(
    path: Path, wanted: Sequence[str], optional: Collection[str] = (), pictures: str | None = None
) -> FileColumns:
    """Read the wanted columns; a missing value is None, an image inside the file a ParquetCell.

    Numbers of classes that the file names, as Hugging Face's data sets write it, become the names.

    Raises InputError if pyarrow is missing, the file is damaged or lacks a column, or one that is
    not of images holds bytes.

    Args:
        path: of the file.
        wanted: names of columns, or `PREFIX*`.
        optional: those of them that may be missing.
        pictures: the column that may hold images: bytes, or structs of `bytes` and `path`.

    """
    parquet = load_pyarrow(path, "save the table as CSV").parquet
    try:
        with parquet.ParquetFile(path) as file:
            names = chosen_columns(path, file.schema_arrow.names, wanted, optional)
            fields = [file.schema_arrow.field(name) for name in names]
            check_cells(path, file, ())
            count = file.metadata.num_rows
            holders = {field.name for field in fields if holds_bytes(field.type)}
            _refuse_bytes(path, holders - {pictures})
            plain: dict[str, list[object]] = {n: [] for n in names if n not in holders}
            for batch in read_batches(path, list(plain)):
                for name in plain:
                    plain[name] += values(batch.column(name))
            columns: dict[str, Sequence[object]] = {
                name: _cells(path, file, name) if name in holders else plain[name] for name in names
            }
            for name, classes in class_names(file.schema_arrow.metadata).items():
                if name in columns:
                    columns[name] = with_names(path, name, columns[name], classes)
    except InputError:
        raise
    # Arrow raises OSError, ValueError, KeyError and its own exceptions for a damaged file.
    except Exception as error:
        message = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} cannot be read as Parquet ({message}): write it anew, or save it as CSV"
        ) from error
    return FileColumns(path, "row", np.arange(1, count + 1), columns)


def holds_bytes(kind: Any) -> bool:
    """Whether values of a type of Arrow's are or hold bytes, as images do."""
    types = load_pyarrow().types
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return holds_bytes(kind.value_type)
    if types.is_struct(kind):
        return any(_is_bytes(field) or holds_bytes(field.type) for field in _fields(kind))
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    )


def is_image(kind: Any) -> bool:
    """Whether values of a type of Arrow's are images: bytes, or structs with a field `bytes`."""
    if load_pyarrow().types.is_struct(kind):
        return any(map(_is_bytes, _fields(kind)))
    return kind.num_fields == 0 and holds_bytes(kind)


def _fields(kind: Any) -> list[Any]:
    return [kind.field(i) for i in range(kind.num_fields)]


def _is_bytes(field: Any) -> bool:
    # Where all bytes are missing, the field has no type.
    types = load_pyarrow().types
    return field.name == "bytes" and (types.is_null(field.type) or holds_bytes(field.type))


def _refuse_bytes(path: Path, columns: Collection[str]) -> None:
    problems = [
        f"{path}: the column {name!r} holds bytes, as of images: give it as data.image_column, and "
        "a column of texts here"
        for name in sorted(columns)
    ]
    if problems:
        raise InputError(*problems)


def _cells(path: Path, file: Any, column: str) -> list[ParquetCell]:
    """The images in a column, by the paths beside them; their bytes stay in the file."""
    kind, count = file.schema_arrow.field(column).type, file.metadata.num_rows
    if not is_image(kind):
        raise InputError(
            f"{path}: the column {column!r} holds {str(kind)[:100]}; expected one image in each "
            "row, as a struct of bytes and path, or as bytes: write it so, or give another column"
        )
    names: list[object] = [None] * count
    if "path" in [field.name for field in _fields(kind)]:
        inside = read_batches(path, [f"{column}.path"])
        names = [name for batch in inside for name in values(batch.column(column).flatten()[0])]
    return [
        ParquetCell(path, column, row, name if isinstance(name, str) else "")
        for row, name in enumerate(names)
    ]
