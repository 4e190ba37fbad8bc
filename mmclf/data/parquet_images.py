"""Images inside Parquet files: their bytes, read in order a few at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, TypeVar

from mmclf.data.arrow import load_pyarrow
from mmclf.data.image_locations import ParquetCell
from mmclf.data.images import ImageBytes
from mmclf.data.parquet_pages import check_pages, leaves_of
from mmclf.errors import InputError

# Rows that are in memory at once: many may have one large image, which takes a file no space twice.
BATCH = 1
BUFFER_BYTES = 2**20  # of the file that are read at once

Other = TypeVar("Other")


def with_bytes(images: Iterable[Other | ParquetCell]) -> Iterator[Other | ImageBytes]:
    """The images in order, cells of Parquet files with their bytes, the others as they are.

    Each part of a file is read once if its cells come in ascending order. Raises InputError if a
    file cannot be read.
    """
    for column, several in groupby(images, _place):
        if column is None:
            yield from (image for image in several if not isinstance(image, ParquetCell))
            continue
        with closing(_CellReader(*column)) as reader:
            for cell in several:
                assert isinstance(cell, ParquetCell)
                yield ImageBytes(str(cell), reader.read(cell.row))


def _place(image: object) -> tuple[Path, str] | None:
    return (image.file, image.column) if isinstance(image, ParquetCell) else None


class _CellReader:
    """Reads the bytes in a column of a Parquet file, of ascending rows without reading twice."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        parquet = load_pyarrow().parquet
        # Not buffered before: a file by pandas is one row group. So a page is held, which Arrow
        # ends after 1,024 rows if not before.
        try:
            self._file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER_BYTES)
        except Exception as error:
            raise _unreadable(path, error) from error
        metadata = self._file.metadata
        sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        self._starts = [0, *accumulate(sizes)]
        self._group = -1
        self._batches: Iterator[Any] = iter(())
        self._first = 0
        self._cells: Any = ()  # of the batch in memory, from row `_first`

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, row: int) -> bytes | None:
        """The bytes in a row, None if there are none; raises InputError if it cannot be read."""
        # Arrow raises OSError, ValueError and its own exceptions for a damaged file.
        try:
            group = bisect_right(self._starts, row) - 1
            if group != self._group or row < self._first:
                self._open(group)
            while row >= self._first + len(self._cells):
                self._first += len(self._cells)
                self._cells = self._bytes_of(next(self._batches))
            content: bytes | None = self._cells[row - self._first].as_py()
        except InputError:
            raise
        except Exception as error:
            raise _unreadable(self._path, error) from error
        return content

    def _open(self, group: int) -> None:
        """Go to the start of a row group."""
        kind = self._file.schema_arrow.field(self._column).type
        is_struct = load_pyarrow().types.is_struct(kind)
        name = f"{self._column}.bytes" if is_struct else self._column
        check_pages(self._path, self._file, group, leaves_of(self._file, [name]))
        self._batches = self._file.iter_batches(
            BATCH, row_groups=[group], columns=[name], use_threads=False
        )
        self._group, self._first, self._cells = group, self._starts[group], ()

    def _bytes_of(self, batch: Any) -> Any:
        """The bytes of a batch's rows, as an array of Arrow."""
        column = batch.column(self._column)
        # A struct that is missing has no bytes, whatever stands in its field.
        return column.flatten()[0] if column.type.num_fields > 0 else column


def _unreadable(path: Path, error: Exception) -> InputError:
    message = " ".join(str(error).split())[:200]
    return InputError(
        f"{path}: the images inside cannot be read ({type(error).__name__}: {message}): write the "
        "file anew"
    )
