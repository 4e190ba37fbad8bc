"""Fields of delimited text that is regular throughout, found by NumPy.

Several times as fast as the csv module on a large file, and the same: what is not regular (a record
of another length, an empty line, a quote inside a field) is left to that module.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

NEWLINE, RETURN, QUOTE = (ord(mark) for mark in '\n\r"')
Offsets = NDArray[np.int64]


@dataclass(frozen=True)
class RegularText:
    """The fields of R rows of F cells, after a header.

    Args:
        data: UTF-8, with a line break at its end.
        starts: (1 + R, F) of the fields in `data`.
        ends: (1 + R, F) likewise.
        numbers: (R,) of the lines where the rows begin, from 1.

    """

    data: bytes
    starts: Offsets
    ends: Offsets
    numbers: NDArray[np.int64]

    @property
    def header(self) -> list[str]:
        """The names of the columns."""
        return [self._text(*pair) for pair in zip(self.starts[0], self.ends[0], strict=True)]

    @cached_property
    def _first_bytes(self) -> NDArray[np.uint8]:
        """The byte (R, F) at which each field starts, its end if it is empty."""
        return np.frombuffer(self.data, np.uint8)[self.starts[1:]]

    @cached_property
    def _are_single(self) -> NDArray[np.bool_]:
        """Whether each column (F,) holds single ASCII characters alone."""
        is_single = (self.ends[1:] - self.starts[1:] == 1) & (self._first_bytes < 128)
        return np.asarray(is_single.all(axis=0) & (len(self.numbers) > 0))

    def column(self, index: int) -> Sequence[str]:
        """The R cells of a column; as one text of R characters if each is a single one."""
        if self._are_single[index]:
            return self._first_bytes[:, index].tobytes().decode("ascii")
        starts, ends = self.starts[1:, index], self.ends[1:, index]
        is_quoted = (self._first_bytes[:, index] == QUOTE) & (ends > starts)
        offsets = zip((starts + is_quoted).tolist(), (ends - is_quoted).tolist(), strict=True)
        if self.data.isascii():
            text = self.data.decode("ascii")
            cells = [text[start:end] for start, end in offsets]
        else:
            cells = [self.data[start:end].decode() for start, end in offsets]
        for row in np.flatnonzero(is_quoted).tolist():
            cells[row] = cells[row].replace('""', '"')
        return cells

    def _text(self, start: int, end: int) -> str:
        text = self.data[start:end].decode()
        return text[1:-1].replace('""', '"') if text.startswith('"') else text


def regular_text(data: bytes, delimiter: str) -> RegularText | None:
    """The fields of a text in UTF-8 without a byte order mark; None if it is not regular."""
    data = data if data.endswith(b"\n") else data + b"\n"
    if data.count(b"\r") != data.count(b"\r\n") or not delimiter.isascii() or not _is_utf8(data):
        return None
    codes = np.frombuffer(data, np.uint8)
    is_end = codes == ord(delimiter)
    is_end |= codes == NEWLINE
    quotes = np.flatnonzero(codes == QUOTE)
    if len(quotes):
        if not _are_around_fields(codes, quotes, ord(delimiter)):
            return None
        # Odd behind an opening quote; counted modulo 256, which keeps that.
        inside = np.cumsum(codes == QUOTE, dtype=np.uint8)
        inside &= 1
        is_end &= inside == 0
    ends: Offsets = np.flatnonzero(is_end)
    is_last = codes[ends] == NEWLINE
    width = int(is_last.argmax()) + 1
    if (
        len(ends) % width
        or is_last.sum() != len(ends) // width
        or not is_last[width - 1 :: width].all()
    ):
        return None
    starts: Offsets = np.concatenate([[0], ends[:-1] + 1]).reshape(-1, width)
    ends = ends.reshape(-1, width)
    longest = int((ends - starts).max())
    ends[:, -1] -= codes[ends[:, -1] - 1] == RETURN
    # The csv module skips empty lines, and refuses long fields.
    if longest > csv.field_size_limit() or (width == 1 and (ends == starts).any()):
        return None
    breaks = np.flatnonzero(codes == NEWLINE)
    return RegularText(data, starts, ends, np.searchsorted(breaks, starts[1:, 0]) + 1)


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def _are_around_fields(codes: NDArray[np.uint8], quotes: Offsets, delimiter: int) -> bool:
    """Whether each quote begins or ends a field, or is one of two inside a field in quotes."""
    if len(quotes) % 2:
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    doubled = closing[:-1] + 1 == opening[1:]
    first = opening[np.concatenate([[True], ~doubled])]
    last = closing[np.concatenate([~doubled, [True]])]
    before = codes[first[first > 0] - 1]
    after = codes[last + 1]
    begins = (before == delimiter) | (before == NEWLINE)
    ends = (after == delimiter) | (after == NEWLINE) | (after == RETURN)
    return bool(begins.all() and ends.all())
