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
            count = file.metadata.num_rows
            holders = {field.name for field in fields if holds_bytes(field.type)}
            _refuse_bytes(path, holders - {pictures})
            content = file.read(columns=[n for n in names if n not in holders])
            columns: dict[str, Sequence[object]] = {
                name: _cells(path, file, name) if name in holders else _values(content.column(name))
                for name in names
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
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


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
        paths = file.read(columns=[f"{column}.path"]).column(column)
        names = paths.flatten()[0].to_pylist()
    return [
        ParquetCell(path, column, row, name if isinstance(name, str) else "")
        for row, name in enumerate(names)
    ]


def _values(column: Any) -> list[object]:
    """The values of a column of pyarrow's; numbers by way of NumPy, which is faster."""
    arrow = load_pyarrow()
    kind = column.type
    is_number = arrow.types.is_integer(kind) or arrow.types.is_floating(kind)
    is_plain = (is_number or arrow.types.is_boolean(kind)) and column.null_count == 0
    values: list[object] = column.to_numpy().tolist() if is_plain else column.to_pylist()
    return values
