"""Reader of Parquet files."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmclf.data.sources.tables.columns import FileColumns, chosen_columns
from mmclf.errors import InputError

PARQUET = (".parquet", ".pq")


def read_parquet(path: Path, wanted: Sequence[str], optional: Collection[str] = ()) -> FileColumns:
    """Read the wanted columns; a missing value is None.

    Raises InputError if pyarrow is missing, or the file is damaged or lacks a column.

    Args:
        path: of the file.
        wanted: names of columns, or `PREFIX*`.
        optional: those of them that may be missing.

    """
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise InputError(
            f"{path}: to read Parquet needs pyarrow: pip install 'mmclf[parquet]', or save the "
            "table as CSV"
        ) from error
    try:
        with parquet.ParquetFile(path) as file:
            names = chosen_columns(path, file.schema_arrow.names, wanted, optional)
            _refuse_pictures(path, [file.schema_arrow.field(name) for name in names])
            content = file.read(columns=names)
            columns = {name: _values(content.column(name)) for name in names}
            count = file.metadata.num_rows
    except InputError:
        raise
    # Arrow raises OSError, ValueError, KeyError and its own exceptions for a damaged file.
    except Exception as error:
        message = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} cannot be read as Parquet ({message}): write it anew, or save it as CSV"
        ) from error
    return FileColumns(path, "row", np.arange(1, count + 1), columns)


def _refuse_pictures(path: Path, fields: Sequence[Any]) -> None:
    """Raise InputError for columns that hold files, before they are read into memory."""
    types = importlib.import_module("pyarrow").types
    for field in fields:
        inner = [one.type for one in field.flatten()]
        if any(types.is_binary(kind) or types.is_large_binary(kind) for kind in inner):
            raise InputError(
                f"{path}: the column {field.name!r} holds the pictures themselves, as bytes: write "
                "each to a file, and its name to a column for data.image_column, or give "
                "data.image_column=null to use captions alone"
            )


def _values(column: Any) -> list[object]:
    """The values of a column of pyarrow's; numbers by way of NumPy, which is faster."""
    arrow = importlib.import_module("pyarrow")
    kind = column.type
    is_number = arrow.types.is_integer(kind) or arrow.types.is_floating(kind)
    is_plain = (is_number or arrow.types.is_boolean(kind)) and column.null_count == 0
    values: list[object] = column.to_numpy().tolist() if is_plain else column.to_pylist()
    return values
