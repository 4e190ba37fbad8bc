"""Columns of a CSV, TSV or Parquet file, every cell as text or as a list of texts."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmclf.data.problems import listed, shown
from mmclf.data.text_io import read_text
from mmclf.errors import InputError, suggestion

Cell = str | list[str]
DELIMITERS: Mapping[str, str] = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Table:
    """The cells of some columns of a file.

    Args:
        path: of the file.
        columns: cells by the column's name.
        locations: of each row, as `line 3` of a text file or `row 3` of a Parquet file.

    """

    path: Path
    columns: Mapping[str, Sequence[Cell]]
    locations: Sequence[str]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.locations)

    def texts(self, name: str | None) -> list[str]:
        """The cells of a column of strings; empty strings if `name` is None.

        Raises InputError if the column holds lists.
        """
        cells = self.columns[name] if name is not None else [""] * len(self)
        texts = [cell for cell in cells if isinstance(cell, str)]
        if len(texts) < len(cells):
            raise InputError(
                f"{self.path}: the column {name!r} holds lists, expected texts: name another"
            )
        return texts

    def take(self, rows: Sequence[int]) -> Table:
        """The table with only the rows at these indices."""
        columns = {name: [cells[i] for i in rows] for name, cells in self.columns.items()}
        return Table(self.path, columns, [self.locations[i] for i in rows])


def read_table(path: Path, columns: Sequence[str]) -> Table:
    """Read columns of a file; empty and missing cells become empty strings.

    Cells are not interpreted: `NA` and `007` stay strings. Raises InputError if the file cannot be
    read, or lacks a column.
    """
    suffix = path.suffix.lower()
    if suffix in DELIMITERS:
        return _read_text(path, columns, DELIMITERS[suffix])
    if suffix in PARQUET:
        return _read_parquet(path, columns)
    raise InputError(
        f"{path}: expected a file called "
        f"{', '.join(f'*{known}' for known in (*DELIMITERS, *PARQUET))}"
    )


def _read_text(path: Path, columns: Sequence[str], delimiter: str) -> Table:
    records = _records(path, delimiter)
    _, header = next(records, (1, []))
    header = [name.strip() for name in header]
    _check_columns(path, columns, header)
    rows = list(records)
    ragged = [f"line {line} has {len(row)}" for line, row in rows if len(row) != len(header)]
    if ragged:
        raise InputError(
            f"{path}: {len(ragged)} rows have not the header's {len(header)} fields "
            f"({listed(ragged)}); a field with {delimiter!r} or a line break in it stands "
            "in double quotes"
        )
    cells = {name: [row[header.index(name)] for _, row in rows] for name in columns}
    return Table(path, cells, [f"line {line}" for line, _ in rows])


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records of the file with the line where each begins, without empty lines."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True, delimiter=delimiter)
    line = 1
    try:
        for fields in reader:
            if fields:
                yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path}, line {line}: the record that begins here is no proper CSV ({error}); quotes "
            "inside a quoted field are doubled"
        ) from error


def _check_columns(path: Path, columns: Sequence[str], header: Sequence[str]) -> None:
    problems = []
    for name in columns:
        if header.count(name) > 1:
            problems.append(f"{path} has {header.count(name)} columns {name!r}: rename the others")
        elif name not in header:
            problems.append(f"{path} has no column {name!r}: {suggestion(name, header)}")
    if problems:
        raise InputError(*problems)


def _read_parquet(path: Path, columns: Sequence[str]) -> Table:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise InputError(
            f"{path}: to read Parquet needs pyarrow: pip install 'mmclf[parquet]', or save the "
            "table as CSV"
        ) from error
    try:
        with parquet.ParquetFile(path) as file:
            header = file.schema_arrow.names
            _check_columns(path, columns, header)
            content = file.read(columns=list(dict.fromkeys(columns)))
            values = {name: content.column(name).to_pylist() for name in columns}
    except InputError:
        raise
    # Arrow raises OSError, ValueError, KeyError and its own exceptions for a damaged file.
    except Exception as error:
        message = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} cannot be read as Parquet ({message}): write it anew, or save it as CSV"
        ) from error
    locations = [f"row {number}" for number in range(1, content.num_rows + 1)]
    return Table(
        path, {name: _cells(cells, name, path) for name, cells in values.items()}, locations
    )


def _cells(values: Sequence[object], name: str, path: Path) -> list[Cell]:
    cells = [_cell(value) for value in values]
    invalid = [i for i, cell in enumerate(cells) if cell is None]
    if invalid:
        raise InputError(
            f"{path}, row {invalid[0] + 1}: the column {name!r} holds {shown(values[invalid[0]])} "
            f"({len(invalid)} such rows), expected texts, whole numbers or lists of them"
        )
    return [cell for cell in cells if cell is not None]


def _cell(value: object) -> Cell | None:
    """A cell as a string or a list of strings, or None if it is neither."""
    if isinstance(value, list):
        items = [_cell(item) for item in value]
        texts = [item for item in items if isinstance(item, str)]
        return texts if len(texts) == len(items) else None
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # In Python True is an int.
    return str(value) if type(value) is int else None
