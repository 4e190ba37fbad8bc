"""A table out of one file or several: its columns, and where each row stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mmclf.data.image_locations import ParquetCell
from mmclf.data.problems import shown
from mmclf.data.sources.tables.columns import FileColumns, matching
from mmclf.data.sources.tables.delimited import DELIMITERS, read_delimited
from mmclf.data.sources.tables.json_lines import JSON_LINES, read_json_lines
from mmclf.data.sources.tables.parquet import PARQUET, read_parquet
from mmclf.data.sources.tables.text_stream import AUTO, COMPRESSED
from mmclf.errors import InputError

Cell = str | tuple[str, ...]
TEXT = (*DELIMITERS, *JSON_LINES)  # what may be compressed
WILDCARDS = "*?["


@dataclass(frozen=True)
class Table:
    """R rows of some columns of one file or several.

    Args:
        path: of the file, or the folder of several.
        files: each file, and what its rows are called.
        file_of: (R,) the file of each row, an index of `files`.
        numbers: (R,) of the rows in their files.
        columns: R values each, by the column's name.

    """

    path: Path
    files: Sequence[tuple[Path, str]]
    file_of: NDArray[np.intp]
    numbers: NDArray[np.int64]
    columns: Mapping[str, Sequence[object]]

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.numbers)

    def location(self, row: int) -> str:
        """Where a row stands in `path`, as `line 3`."""
        file, word = self.files[self.file_of[row]]
        location = f"{word} {self.numbers[row]}"
        return location if len(self.files) == 1 else f"{file.name} {location}"

    def where(self, row: int) -> str:
        """Where a row stands, with the path of its file."""
        file, word = self.files[self.file_of[row]]
        return f"{file}, {word} {self.numbers[row]}"

    def matching(self, name: str) -> list[str]:
        """The columns called `name`, or those that begin alike if it ends with `*`."""
        return matching(name, list(self.columns))

    def cells(self, name: str) -> list[Cell]:
        """A column's texts, whole numbers as texts, lists of them, and names of images inside.

        A missing value is empty. Raises InputError if it holds anything else.
        """
        values = self.columns[name]
        if set(map(type, values)) <= {str}:
            return [*cast("Sequence[str]", values)]
        cells = [value if type(value) is str else _cell(value) for value in values]
        invalid = [row for row, cell in enumerate(cells) if cell is None]
        if invalid:
            raise InputError(
                f"{self.where(invalid[0])}: the column {name!r} holds {shown(values[invalid[0]])} "
                f"({len(invalid)} such rows), expected texts, whole numbers or lists of them"
            )
        return [cell for cell in cells if cell is not None]

    def texts(self, name: str | None) -> list[str]:
        """The cells of a column without lists; empty strings if `name` is None.

        Raises InputError if the column holds lists, or what is no text.
        """
        if name is None:
            return [""] * len(self)
        cells = self.cells(name)
        if tuple in set(map(type, cells)):
            raise InputError(
                f"{self.path}: the column {name!r} holds lists, expected texts: name another"
            )
        return cast("list[str]", cells)

    def row_names(self, root: Path) -> list[str]:
        """The rows as FILE:ROW, their files below `root`."""
        names = [
            (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
            for path, _ in self.files
        ]
        pairs = zip(self.file_of.tolist(), self.numbers.tolist(), strict=True)
        return [f"{names[file]}:{number}" for file, number in pairs]

    def take(self, rows: NDArray[np.intp]) -> Table:
        """The table with only the rows at these indices."""
        chosen = rows.tolist()
        columns = {name: [values[i] for i in chosen] for name, values in self.columns.items()}
        return Table(self.path, self.files, self.file_of[rows], self.numbers[rows], columns)


def table_files(root: Path, name: str) -> list[Path]:
    """The files that `name` stands for: a file below `root`, those in a folder, or of a pattern.

    Raises InputError if there is none.
    """
    path = root / name
    if path.is_file():
        return [path]
    is_pattern = any(mark in name for mark in WILDCARDS)
    candidates = sorted(root.glob(name)) if is_pattern and not PurePath(name).is_absolute() else []
    if path.is_dir():
        candidates = sorted(file for file in path.iterdir() if _kind(file)[0] is not None)
    files = [file for file in candidates if file.is_file() and not file.name.startswith(".")]
    if not files:
        where = "no table in the folder" if path.is_dir() else "no file"
        raise InputError(f"there is {where} {path}")
    return files


def read_table(
    paths: Sequence[Path],
    columns: Sequence[str],
    *,
    optional: Mapping[Path, Collection[str]] | None = None,
    delimiter: str = AUTO,
    encoding: str = AUTO,
    pictures: str | None = None,
) -> Table:
    """Read columns of files as one table.

    Cells of text are not interpreted: `NA` and `007` stay strings. Raises InputError if a file
    cannot be read, or lacks a column.

    Args:
        paths: of the files.
        columns: names, or `PREFIX*` for all that begin with it.
        optional: by file, those of the columns that it may lack; they are empty there.
        delimiter: between cells of text; `auto` to look at the file.
        encoding: of text, a codec; `auto` for UTF-8 or UTF-16.
        pictures: the column that may hold images themselves.

    """
    lacking = optional if optional is not None else {}
    parts = [
        _read(path, columns, lacking.get(path, ()), delimiter, encoding, pictures) for path in paths
    ]
    names = dict.fromkeys(name for part in parts for name in part.columns)
    if len(parts) == 1:
        joined: Mapping[str, Sequence[object]] = parts[0].columns
    else:
        joined = {
            name: [v for p in parts for v in p.columns.get(name, [""] * len(p.numbers))]
            for name in names
        }
    return Table(
        paths[0] if len(paths) == 1 else paths[0].parent,
        [(part.path, part.word) for part in parts],
        np.repeat(np.arange(len(parts)), [len(part.numbers) for part in parts]),
        np.concatenate([part.numbers for part in parts]),
        joined,
    )


def _kind(path: Path) -> tuple[str | None, bool]:
    """The suffix that says what a file is, None for no table, and whether it is compressed."""
    is_compressed = path.suffix.lower() == COMPRESSED
    suffix = Path(path.stem).suffix.lower() if is_compressed else path.suffix.lower()
    suffixes = TEXT if is_compressed else (*TEXT, *PARQUET)
    return (suffix if suffix in suffixes else None), is_compressed


def _read(
    path: Path,
    columns: Sequence[str],
    optional: Collection[str],
    delimiter: str,
    encoding: str,
    pictures: str | None,
) -> FileColumns:
    suffix, _ = _kind(path)
    if suffix is None:
        raise InputError(
            f"{path}: expected a file called {', '.join(f'*{known}' for known in TEXT)} (or "
            f"these with {COMPRESSED}), {', '.join(f'*{known}' for known in PARQUET)}"
        )
    if suffix in PARQUET:
        return read_parquet(path, columns, optional, pictures)
    if suffix in JSON_LINES:
        return read_json_lines(path, columns, optional, encoding)
    return read_delimited(path, suffix, columns, optional, delimiter, encoding)


def _cell(value: object) -> Cell | None:
    """A value as a string or a tuple of strings, or None if it is neither."""
    if isinstance(value, list):
        items = [_cell(item) for item in value]
        texts = tuple(item for item in items if isinstance(item, str))
        return texts if len(texts) == len(items) else None
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, ParquetCell):
        return value.name
    # In Python True is an int.
    return str(value) if type(value) is int else None
