"""The columns of a Parquet file in its pages, and how large these claim to be unpacked.

Arrow makes room for what a page's header claims before it unpacks the page. Headers are structs in
Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/
thrift-compact-protocol.md), their fields those of Parquet's format (PageHeader in
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmclf.errors import InputError
from mmclf.storage.file_limits import IMAGE_BYTES, in_mb

UNPACKED, PACKED = 2, 3  # fields of a PageHeader: sizes without the header, in bytes
# What images take unpacked, of which a page may hold a thousand, is about what they take packed.
MOST_RATIO = 10
DEEPEST = 16  # of structs in a header; the format's own have three
# Types of the compact protocol.
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


@dataclass(frozen=True)
class Page:
    """The sizes of a page in bytes."""

    packed: int
    unpacked: int


def check_pages(path: Path, file: Any, group: int, leaves: Sequence[int]) -> None:
    """Raise InputError if a page of some leaf columns in a row group is too large unpacked.

    That is one above `IMAGE_BYTES` and `MOST_RATIO` times what it takes in the file. Raises
    ValueError if a header cannot be read.

    Args:
        path: of the file.
        file: the same, as Arrow's ParquetFile.
        group: number of the row group, from 0.
        leaves: numbers of the columns, from 0.

    """
    chunks = [file.metadata.row_group(group).column(leaf) for leaf in leaves]
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for chunk in chunks:
            for page in pages(data, *_extent(chunk)):
                if page.unpacked > max(IMAGE_BYTES, MOST_RATIO * page.packed):
                    raise InputError(
                        f"{path}: a page of the column {chunk.path_in_schema!r} takes "
                        f"{in_mb(page.packed)} MB and claims {in_mb(page.unpacked)} MB unpacked, "
                        f"expected at most {in_mb(IMAGE_BYTES)} MB or {MOST_RATIO} times as much: "
                        "write the file anew, with smaller pages"
                    )


def leaves_of(file: Any, columns: Sequence[str]) -> list[int]:
    """The numbers of the leaf columns below columns, or of a struct's field as COLUMN.FIELD."""
    owners = [f.name for f in file.schema_arrow for _ in range(_leaf_count(f.type))]
    paths = [file.schema.column(leaf).path for leaf in range(len(owners))]
    wanted = set(columns)
    return [
        leaf
        for leaf, (owner, path) in enumerate(zip(owners, paths, strict=True))
        if owner in wanted or path in wanted
    ]


def _leaf_count(kind: Any) -> int:
    fields = [kind.field(i) for i in range(kind.num_fields)]
    return sum(_leaf_count(field.type) for field in fields) if fields else 1


def pages(data: bytes | mmap.mmap, start: int, end: int) -> Iterator[Page]:
    """The pages whose headers and contents stand one after another from `start` to `end`.

    Raises ValueError for a header that cannot be read.
    """
    position = start
    while position < end:
        header = _Header(data, position)
        fields = header.sizes()
        try:
            page = Page(fields[PACKED], fields[UNPACKED])
        except KeyError:
            raise ValueError(f"the page at byte {position:,} does not say its size") from None
        if page.packed < 0 or page.unpacked < 0:
            raise ValueError(f"the page at byte {position:,} has a size below 0")
        yield page
        position = header.position + page.packed


def _extent(chunk: Any) -> tuple[int, int]:
    """Where the pages of a column chunk begin and end."""
    start = chunk.data_page_offset
    if chunk.has_dictionary_page and 0 < chunk.dictionary_page_offset < start:
        start = chunk.dictionary_page_offset
    return start, start + chunk.total_compressed_size


class _Header:
    """Reads the numbers at the top of a struct; `position` is then behind it."""

    def __init__(self, data: bytes | mmap.mmap, position: int) -> None:
        self._data, self.position = data, position

    def sizes(self) -> dict[int, int]:
        """The struct's fields of 16 to 64 bits, by number; the others are passed over."""
        numbers = {}
        for field, kind in self._fields():
            if kind in (I16, I32, I64):
                numbers[field] = self._signed()
            else:
                self._skip(kind, 1)
        return numbers

    def _fields(self) -> Iterator[tuple[int, int]]:
        """The number and type of each field of a struct, as each is reached."""
        field = 0
        while (first := self._byte()) != 0:
            delta = first >> 4
            field = field + delta if delta > 0 else self._signed()
            yield field, first & 15

    def _skip(self, kind: int, depth: int) -> None:
        """Pass over a value."""
        if depth > DEEPEST:
            raise ValueError(f"a page's header is nested more than {DEEPEST} times")
        if kind in (I16, I32, I64):
            self._unsigned()
        elif kind in (BYTE, DOUBLE):
            self._pass(1 if kind == BYTE else 8)
        elif kind == BINARY:
            self._pass(self._unsigned())
        elif kind in (LIST, SET):
            self._skip_list(depth)
        elif kind == STRUCT:
            for _, inner in self._fields():
                self._skip(inner, depth + 1)
        elif kind not in (TRUE, FALSE):  # those two are their own value; no header has a map
            raise ValueError(f"a page's header has a value of type {kind}")

    def _skip_list(self, depth: int) -> None:
        first = self._byte()
        count, kind = first >> 4, first & 15
        count = self._unsigned() if count == 15 else count
        for _ in range(count):
            # In a list a truth value has a byte of its own.
            self._skip(BYTE if kind in (TRUE, FALSE) else kind, depth + 1)

    def _byte(self) -> int:
        self._pass(1)
        return self._data[self.position - 1]

    def _pass(self, count: int) -> None:
        if not 0 <= count <= len(self._data) - self.position:
            raise ValueError("a page's header goes on behind the end of the file")
        self.position += count

    def _unsigned(self) -> int:
        """A number in groups of 7 bits, the lowest first."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number in a page's header has more than 64 bits")

    def _signed(self) -> int:
        """A number whose sign is its lowest bit."""
        value = self._unsigned()
        return (value >> 1) ^ -(value & 1)
