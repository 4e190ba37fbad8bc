"""Signals that tell a process to end, held back until what it computes can be kept."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# SIGTERM ends a job; Slurm's and submitit's warning of the end is SIGUSR2, which Windows lacks.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGUSR2") if hasattr(signal, name))


class Interruption:
    """The signals that are held back.

    A second signal of a kind is not: somebody is in a hurry.
    """

    def __init__(self, handlers: dict[int, Any]) -> None:
        self._handlers = handlers
        self._held: list[int] = []

    @property
    def is_there(self) -> bool:
        """Whether a signal is held back."""
        return bool(self._held)

    def hold(self, number: int, frame: FrameType | None) -> None:
        """The handler of a signal."""
        if number in self._held:
            self._held.remove(number)
            self._handle(number, frame)
        else:
            self._held.append(number)

    def pass_on(self) -> None:
        """Do with the signals held back what would have been done, in their order.

        Where nobody handles a signal, which would end the process, raises KeyboardInterrupt. It
        returns if all that handled them did.
        """
        while self._held:
            self._handle(self._held.pop(0), None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        handler = self._handlers[number]
        if handler is signal.SIG_DFL:
            raise KeyboardInterrupt
        if callable(handler):
            handler(number, frame)


@contextmanager
def held_signals() -> Iterator[Interruption]:
    """Hold SIGTERM and SIGUSR2 back within the block; what then still is, is passed on at its end.

    In a thread that is not the main one, which gets no signals, nothing is held.
    """
    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
    # None is one that Python did not set and cannot set again.
    handlers = {number: handler for number, handler in handlers.items() if handler is not None}
    interruption = Interruption(handlers)
    for number in handlers:
        signal.signal(number, interruption.hold)
    try:
        yield interruption
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        interruption.pass_on()
