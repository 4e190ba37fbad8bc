"""Processes: the mmclf command and other scripts from outside, and a side that has its own."""

from __future__ import annotations

import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

from measuring import Side

from mmclf.storage import environment


@dataclass(frozen=True)
class Ended:
    """A process that went well: its wall time, and what it wrote."""

    seconds: float
    out: str
    err: str


def run_python(arguments: Sequence[str]) -> Ended:
    """Run this Python with `arguments` and wait; raises RuntimeError if that fails."""
    started = time.perf_counter()
    ended = subprocess.run(  # noqa: S603
        [sys.executable, *arguments], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if ended.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {ended.returncode}: {ended.stderr}")
    return Ended(seconds, ended.stdout, ended.stderr)


def run_command(*arguments: str) -> float:
    """The wall time of the command `mmclf` as a whole process."""
    return run_python(["-m", "mmclf", *arguments]).seconds


class Peer:
    """A side in a process of its own, which waits while other sides are timed.

    `make(*arguments)` makes the side there. With `keep_memory` the process keeps the memory that
    it frees, as one of mmclf does.
    """

    def __init__(
        self, make: Callable[..., Side], *arguments: object, keep_memory: bool = False
    ) -> None:
        context = get_context("spawn")
        self._pipe, there = context.Pipe()
        # Not a daemon: a torch loader has processes of its own.
        self._process = context.Process(target=_serve, args=(there, make, arguments, keep_memory))
        self._process.start()

    def __call__(self) -> float:
        """The seconds that the side takes once."""
        self._pipe.send(True)
        seconds, failure = self._pipe.recv()
        if failure is not None:
            raise RuntimeError(f"a side in a process of its own failed: {failure}")
        return float(seconds)

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        with suppress(BrokenPipeError):  # of a process that failed
            self._pipe.send(False)
        self._process.join()


def _serve(
    pipe: Connection, make: Callable[..., Side], arguments: Sequence[object], keep_memory: bool
) -> None:
    try:
        if keep_memory:
            environment.keep_freed_memory()
        side = make(*arguments)
        while pipe.recv():
            pipe.send((side(), None))
    except Exception:
        pipe.send((None, traceback.format_exc()))
