"""The calls of MLflow's client that a command makes, with the CPU and wall seconds of each.

    calls.py WORDS OF MMCLF ...

A call within another counts for the outer one. A Markdown table goes to standard error.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from mlflow.tracking import MlflowClient

from mmclf.cli.main import main


class Calls:
    """Calls by name: how many, and the CPU and wall seconds of all."""

    def __init__(self) -> None:
        self.found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._is_inside = False

    def counted(self, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, whose calls are counted."""

        @functools.wraps(plain)
        def call(*given: Any, **named: Any) -> Any:
            if self._is_inside:
                return plain(*given, **named)
            self._is_inside = True
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                return plain(*given, **named)
            finally:
                self._is_inside = False
                spent = time.process_time() - cpu, time.perf_counter() - wall
                self.found[name].append(spent)

        return call

    def rows(self) -> list[str]:
        """A row of a Markdown table for each name, and one for all."""
        totals = {
            name: (len(of), *(sum(column) for column in zip(*of, strict=True)))
            for name, of in self.found.items()
        }
        totals["all"] = tuple(map(sum, zip(*totals.values(), strict=True)))
        return [
            f"| {name} | {count:.0f} | {cpu:.3f} | {wall:.3f} |"
            for name, (count, cpu, wall) in totals.items()
        ]


def measured() -> int:
    """Run the command, and tell its calls."""
    calls = Calls()
    for name, plain in vars(MlflowClient).items():
        if callable(plain) and not name.startswith("_"):
            setattr(MlflowClient, name, calls.counted(name, plain))
    status = main(sys.argv[1:])
    print(*calls.rows(), f"load {os.getloadavg()[0]:.1f}", sep="\n", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(measured())
