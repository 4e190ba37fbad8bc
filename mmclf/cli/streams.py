"""Standard output and error of a process, which may be closed, or have no reader any more."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

STDIN, STDOUT, STDERR = 0, 1, 2


class _Unfailing(io.FileIO):
    """A standard stream; what can be written no more goes nowhere, and `error` says why.

    Without a reader, as when `head` has ended, there is no error: what it wanted it has got.
    """

    error: OSError | None = None

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            if error.errno != errno.EPIPE:
                self.error = error
            self._give_up()
            return len(memoryview(data).cast("B"))

    def _give_up(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def open_standard_streams() -> None:
    """Let no write to standard output or error raise, and none go where it does not belong.

    A closed one would be `None` in Python, and the next file that is opened would get its number,
    and be written to by whoever means the stream.
    """
    for number in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    # Whoever has put another object there, as a notebook or a test, keeps it.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _unfailing(sys.stdout, STDOUT)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _unfailing(sys.stderr, STDERR)


def _unfailing(stream: TextIO | None, number: int) -> TextIO:
    if stream is not None:
        with suppress(OSError):
            stream.flush()
    buffered = io.BufferedWriter(_Unfailing(number, "w", closefd=False))
    return io.TextIOWrapper(
        buffered,
        encoding=getattr(stream, "encoding", None) or "utf-8",
        # A name that the terminal's encoding has no letter for must not end the process.
        errors="backslashreplace",
        line_buffering=number == STDERR or os.isatty(number),
    )


def lost_output() -> OSError | None:
    """Why standard output could not be written, if it could not."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, _Unfailing) else None
