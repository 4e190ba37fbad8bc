"""The first rows of a table: CSV in any encoding and with any delimiter, JSON lines or Parquet."""

from __future__ import annotations

import bz2
import codecs
import gzip
import json
import lzma
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pandas as pd

from mmclf.data.arrow import load_pyarrow
from mmclf.data.guess.columns import IMAGE_WORDS, named
from mmclf.data.sources.tables.parquet import holds_bytes, is_image
from mmclf.data.sources.tables.parquet_batches import read_batches, values
from mmclf.errors import InputError

ROWS = 2000
TEXT: Mapping[str, str] = {".csv": ",", ".tsv": "\t", ".tab": "\t"}  # the usual delimiters
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet", ".pq")
COMPRESSED: Mapping[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
HEAD_BYTES = 4_000_000  # that are looked at for the encoding
DELIMITERS = (",", ";", "\t", "|")
# What a file without a byte order mark may be; the last one takes any bytes.
ENCODINGS = ("utf-8", "cp1252", "latin-1")
MARKS: Mapping[bytes, str] = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Preview:
    """The first rows of a table.

    Args:
        columns: R cells each: texts, or what JSON or Parquet hold; of the first of `pictures` the
            paths, if all are there.
        pictures: columns that hold images themselves, which are not read.
        delimiter: between the cells; None if the form has none.
        encoding: of the file; None if the form has none.

    """

    columns: Mapping[str, Sequence[object]]
    pictures: tuple[str, ...] = ()
    delimiter: str | None = None
    encoding: str | None = None

    def __len__(self) -> int:
        """The number of rows R."""
        return max(map(len, self.columns.values()), default=0)


def is_table(path: Path) -> bool:
    """Whether a file's name is that of a table."""
    return form(path) in (*TEXT, *JSON_LINES, *PARQUET)


def form(path: Path) -> str:
    """The suffix in small letters, that below a compressed file's."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def read_preview(path: Path) -> Preview:
    """Read the first rows; raises InputError if the file cannot be read."""
    try:
        if form(path) in PARQUET:
            return _read_parquet(path)
        return _read_json(path) if form(path) in JSON_LINES else _read_text(path)
    except InputError:
        raise
    # What pandas, Arrow and the decompressors raise for damaged files has no common class.
    except Exception as error:
        message = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} cannot be read as a table ({message}): give a CSV, JSON lines or Parquet file"
        ) from error


def _open(path: Path) -> IO[bytes]:
    file: IO[bytes] = COMPRESSED.get(path.suffix.lower(), open)(path, "rb")
    return file


def _read_json(path: Path) -> Preview:
    with _open(path) as file:
        rows = [json.loads(line) for line in islice(file, ROWS) if line.strip()]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path} cannot be read as a table: expected a JSON object in each line")
    names = dict.fromkeys(name for row in rows for name in row)
    return Preview({name: [row.get(name) for row in rows] for name in names})


def _read_text(path: Path) -> Preview:
    encoding = _encoding(path)
    # The mark that divides the header into the most fields; of several the usual one.
    marks = dict.fromkeys((TEXT[form(path)], *DELIMITERS))
    delimiter = max(marks, key=lambda mark: len(_rows(path, encoding, mark, 1).columns))
    rows = _rows(path, encoding, delimiter, ROWS + 1)
    header = [str(name).strip().removeprefix("\ufeff") for name in rows.iloc[0]]
    columns: dict[str, Sequence[object]] = {}
    for i, name in enumerate(header):
        columns.setdefault(name, rows.iloc[1:, i].tolist())
    return Preview(columns, (), delimiter, encoding)


def _rows(path: Path, encoding: str, delimiter: str, count: int) -> pd.DataFrame:
    # The header is read as a row, since pandas would rename repeated columns.
    return pd.read_csv(
        path,
        sep=delimiter,
        encoding=encoding,
        header=None,
        nrows=count,
        dtype=str,
        keep_default_na=False,
    ).fillna("")


def _encoding(path: Path) -> str:
    """The encoding by the file's byte order mark, or the first in which its head can be read."""
    with _open(path) as file:
        head = file.read(HEAD_BYTES)
    marked = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
    if marked is not None:
        return marked
    return next(encoding for encoding in ENCODINGS if _can_be(head, encoding))


def _can_be(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return True


def _read_parquet(path: Path) -> Preview:
    arrow = load_pyarrow(path, "save the table as CSV")
    with arrow.parquet.ParquetFile(path) as file:
        kinds = dict(zip(file.schema_arrow.names, file.schema_arrow.types, strict=True))
        # Bytes are not read; without a struct around them they are images if called so.
        held = {name: kind for name, kind in kinds.items() if holds_bytes(kind)}
        images = [name for name, kind in held.items() if is_image(kind)]
        structs = [name for name in images if arrow.types.is_struct(kinds[name])]
        plain = [name for name in images if name not in structs]
        pictures = (*structs, *named(plain, IMAGE_WORDS))
        others = [name for name in kinds if name not in held]
        batch = next(read_batches(path, others, ROWS), None)
        columns = {name: values(batch.column(name)) for name in others} if batch else {}
        if structs and kinds[structs[0]].get_field_index("path") >= 0:
            inside = next(read_batches(path, [f"{structs[0]}.path"], ROWS), None)
            paths = values(inside.column(structs[0]).flatten()[0]) if inside else []
            if all(paths):
                columns[structs[0]] = paths
    return Preview(columns, pictures)
