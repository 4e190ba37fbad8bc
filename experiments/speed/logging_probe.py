"""A process of its own: the mmclf command, with the seconds of mlflow's imports and of tracking."""

from __future__ import annotations

import builtins
import functools
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmclf.cli.main import main

# `run` is left out: a block within it is the whole run, and what it calls itself is counted.
COUNTED = {
    "Tracker": ("__init__", "start", "runs", "children", "get", "find", "fetch"),
    "RunLog": ("params", "metrics", "curves", "tags", "artifacts", "end"),
}


class Clock:
    """Seconds by name; what happens within a counted block counts for that block alone."""

    def __init__(self) -> None:
        self.seconds = {"imports": 0.0, "calls": 0.0}
        self._inside = False

    @contextmanager
    def counts(self, name: str) -> Iterator[None]:
        """Add the block's time to `name`."""
        if self._inside:
            yield
            return
        self._inside, started = True, time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started
            self._inside = False


def _count_imports(clock: Clock) -> None:
    plain = builtins.__import__

    def counted(name: str, *rest: Any, **named: Any) -> Any:
        if name.partition(".")[0] != "mlflow":
            return plain(name, *rest, **named)
        with clock.counts("imports"):
            return plain(name, *rest, **named)

    builtins.__import__ = counted


def _count_calls(clock: Clock) -> None:
    from mmclf.storage import tracking

    for kind, names in COUNTED.items():
        for name in names:
            plain = getattr(getattr(tracking, kind), name)
            setattr(getattr(tracking, kind), name, _counted(clock, plain))


def _counted(clock: Clock, plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def call(*given: Any, **named: Any) -> Any:
        with clock.counts("calls"):
            return plain(*given, **named)

    return call


def measured_command() -> int:
    """Run the command of the arguments after the first, a file, which tells the seconds then."""
    clock = Clock()
    _count_imports(clock)
    _count_calls(clock)
    status = main(sys.argv[2:])
    Path(sys.argv[1]).write_text(json.dumps(clock.seconds), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(measured_command())
