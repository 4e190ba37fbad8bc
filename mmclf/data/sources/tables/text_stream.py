"""Text files opened for reading line by line: their encoding, and gzip."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from mmclf.errors import InputError
from mmclf.storage.file_limits import TEXT_BYTES, check_size, in_mb

AUTO = "auto"
COMPRESSED = ".gz"
UTF_8 = "utf-8-sig"  # with or without a byte order mark
# A small file may unpack to any size: more than `TEXT_BYTES`, and than this share of the memory, is
# refused.
MEMORY_SHARE = 0.5
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@contextmanager
def open_text(path: Path, encoding: str = AUTO) -> Iterator[TextIO]:
    """Open a text file, or one in gzip (`.gz`); line ends stay as they are.

    Raises InputError if the file cannot be read or unpacked, unpacks to more than the memory holds,
    or is not in its `encoding`, also from within the block.

    Args:
        path: of the file.
        encoding: the name of a codec; `auto` for UTF-16 with its byte order mark, else UTF-8.

    """
    try:
        with _checked_bytes(path) as stream:
            codec = _codec(stream.peek(2)[:2], encoding)
            with io.TextIOWrapper(stream, encoding=codec, newline="") as text:
                yield text
    except UnicodeError as error:
        raise InputError(_no_such_encoding(path, encoding)) from error


def read_utf8(path: Path, encoding: str = AUTO) -> bytes | None:
    """The content of a text that is UTF-8 by its `encoding`, without a byte order mark; else None.

    Raises InputError as `open_text`.
    """
    with _checked_bytes(path) as stream:
        if _codec(stream.peek(2)[:2], encoding) != UTF_8:
            return None
        return stream.read().removeprefix(codecs.BOM_UTF8)


@contextmanager
def _checked_bytes(path: Path) -> Iterator[io.BufferedReader]:
    """The content of a file, unpacked; errors become InputErrors."""
    check_size(path, TEXT_BYTES, "text")
    try:
        with _open_bytes(path) as stream:
            yield stream
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} cannot be unpacked ({error}): compress it anew") from error
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}): expected a file that you may read"
        ) from error


def encoding_problems(encoding: str) -> list[str]:
    """The problem that there is no such encoding, or no problem."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding if encoding != AUTO else "utf-8")
    except (LookupError, ValueError):
        return [
            f"data.encoding: there is no encoding {encoding!r}; expected auto, or a name as utf-8, "
            "utf-16, latin-1, cp1252"
        ]
    return []


def memory_bytes() -> int:
    """The memory of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


class _Limited(io.RawIOBase):
    """A stream that raises InputError after so many bytes."""

    def __init__(self, stream: gzip.GzipFile, limit: int, path: Path) -> None:
        self._stream, self._left, self._limit, self._path = stream, limit, limit, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # a Buffer, which Python 3.11 has no name for
        view = memoryview(buffer)
        data = self._stream.read(len(view))
        self._left -= len(data)
        if self._left < 0:
            raise InputError(
                f"{self._path} unpacks to more than {in_mb(self._limit)} MB, the most that is read "
                "here: unpack it, and leave out what is not needed"
            )
        view[: len(data)] = data
        return len(data)


@contextmanager
def _open_bytes(path: Path) -> Iterator[io.BufferedReader]:
    if path.suffix.lower() != COMPRESSED:
        with path.open("rb") as stream:
            yield stream
        return
    with gzip.open(path, "rb") as unpacked:
        limit = min(TEXT_BYTES, int(memory_bytes() * MEMORY_SHARE))
        yield io.BufferedReader(_Limited(unpacked, limit, path), 2**20)


def _codec(start: bytes, encoding: str) -> str:
    if encoding == AUTO:
        return BYTE_ORDER_MARKS.get(start, UTF_8)
    return UTF_8 if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def _no_such_encoding(path: Path, encoding: str) -> str:
    """The message for a file that is not in its encoding, with the first line that is not."""
    with _open_bytes(path) as stream:
        codec = _codec(stream.peek(2)[:2], encoding)
        if codec != UTF_8:
            return (
                f"{path} is no text in {codec}: give the encoding that it has by data.encoding, or "
                "save it as UTF-8"
            )
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return (
                    f"{path}, line {number}: byte {line[error.start]:#04x} is no UTF-8; give "
                    "the encoding that it has, as data.encoding=cp1252 (of Windows) or "
                    "data.encoding=latin-1, or save it as UTF-8"
                )
    return f"{path} is no UTF-8: save it as UTF-8"
