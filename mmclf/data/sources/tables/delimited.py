"""Reader of delimited text: CSV, TSV and the like, every cell as the text that it is."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

import numpy as np

from mmclf.data.problems import listed
from mmclf.data.sources.tables.columns import FileColumns, chosen_columns, matching
from mmclf.data.sources.tables.regular import regular_text
from mmclf.data.sources.tables.text_stream import AUTO, open_text, read_utf8
from mmclf.errors import InputError

# What a file's name says about the delimiter; another one is taken where the header says so.
DELIMITERS: Mapping[str, str] = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
CANDIDATES = (",", ";", "\t", "|")
BATCH = 4096  # rows that are turned into columns at a time


def read_delimited(
    path: Path,
    suffix: str,
    wanted: Sequence[str],
    optional: Collection[str] = (),
    delimiter: str = AUTO,
    encoding: str = AUTO,
) -> FileColumns:
    """Read the wanted columns of a delimited text.

    Raises InputError if the file cannot be read, lacks a column, or is no proper CSV.

    Args:
        path: of the file.
        suffix: of its name, before `.gz`.
        wanted: names of columns, or `PREFIX*`.
        optional: those of them that may be missing.
        delimiter: between cells; `auto` for that which finds the wanted columns in the header.
        encoding: as in `open_text`.

    """
    if delimiter == AUTO:
        delimiter = _found_delimiter(path, suffix, wanted, encoding)
    data = read_utf8(path, encoding)
    regular = regular_text(data, delimiter) if data is not None else None
    if regular is not None:
        header = _names(regular.header)
        names = chosen_columns(path, header, wanted, optional)
        cells = {name: regular.column(header.index(name)) for name in names}
        return FileColumns(path, "line", regular.numbers, cells)
    with open_text(path, encoding) as stream:
        records = _records(stream, path, delimiter)
        header = _names(next(records, (1, []))[1])
        names = chosen_columns(path, header, wanted, optional)
        indices = [header.index(name) for name in names]
        columns: list[list[str]] = [[] for _ in names]
        numbers = array("q")
        ragged: list[str] = []
        while batch := list(islice(records, BATCH)):
            lines, rows = zip(*batch, strict=True)
            numbers.extend(lines)
            if set(map(len, rows)) != {len(header)}:
                ragged += [
                    f"line {line} has {len(row)}" for line, row in batch if len(row) != len(header)
                ]
            if not ragged:
                turned = list(zip(*rows, strict=True))
                for column, index in zip(columns, indices, strict=True):
                    column.extend(turned[index])
    if ragged:
        raise InputError(
            f"{path}: {len(ragged)} rows have not the header's {len(header)} fields "
            f"({listed(ragged)}); a field with {delimiter!r} or a line break in it stands "
            "in double quotes"
        )
    lines_read = np.frombuffer(numbers, np.int64) if numbers else np.zeros(0, np.int64)
    return FileColumns(path, "line", lines_read, dict(zip(names, columns, strict=True)))


def _names(fields: Sequence[str]) -> list[str]:
    return [name.strip().lstrip("\ufeff") for name in fields]


def _found_delimiter(path: Path, suffix: str, wanted: Sequence[str], encoding: str) -> str:
    """The delimiter with which the header has most of the wanted columns.

    Of several such that of the file's name, if it divides the header at all, or the one that makes
    most columns.
    """
    usual = DELIMITERS[suffix]

    def score(delimiter: str) -> tuple[int, bool, int]:
        with open_text(path, encoding) as stream:
            try:
                header = _names(next(_records(stream, path, delimiter), (1, []))[1])
            except InputError:
                return -1, False, 0
        matches = sum(bool(matching(name, header)) for name in wanted)
        return matches, delimiter == usual and len(header) > 1, len(header)

    return max((usual, *(mark for mark in CANDIDATES if mark != usual)), key=score)


def _records(stream: Iterable[str], path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records with the line where each begins, without empty lines."""
    lines, longest = iter(stream), csv.field_size_limit()
    number = 1
    for line in lines:
        # Splitting is several times faster than the csv module, and the same without quotes.
        if '"' not in line and len(line) <= longest:
            if text := line.rstrip("\r\n"):
                yield number, text.split(delimiter)
            number += 1
            continue
        reader = csv.reader(chain((line,), lines), strict=True, delimiter=delimiter)
        try:
            fields = next(reader)
        except csv.Error as error:
            raise InputError(
                f"{path}, line {number}: the record that begins here is no proper CSV ({error}); "
                "quotes inside a quoted field are doubled"
            ) from error
        yield number, fields
        number += reader.line_num
