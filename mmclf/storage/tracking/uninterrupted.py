"""Writes that an interruption waits for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# Windows lacks the last, by which Slurm warns of the end.
NAMES = ("SIGINT", "SIGTERM", "SIGUSR2")
SIGNALS: tuple[signal.Signals, ...] = tuple(
    getattr(signal, name) for name in NAMES if hasattr(signal, name)
)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back SIGINT, SIGTERM and SIGUSR2 until the end of the block.

    A write to SQLite that is broken off leaves the database locked for the process itself, which
    then could not mark its run as killed. Only the main thread is ever interrupted; in others this
    does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        held.append(number)

    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in handlers.items():
        if handler is not None:  # None is one that Python did not set and cannot set again
            signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if handler is not None:
                signal.signal(number, handler)
        for signalled in held:
            _handle(signalled, handlers[signal.Signals(signalled)])


def _handle(number: int, handler: Any) -> None:
    """Do with a signal that was held back what its handler does.

    Where Python handles it, it need not have come from the system, which may block it: Ray
    interrupts a task so.
    """
    if callable(handler):
        handler(number, None)
    else:
        signal.raise_signal(number)
