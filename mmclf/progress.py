"""Progress of long tasks: a bar on a terminal, an occasional line elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from mmclf.messages import tell

LINE_INTERVAL_S = 30.0  # between two lines, and before the first, where there is no terminal


class RateColumn(ProgressColumn):
    """Steps per second, or seconds per step where a step takes longer than one."""

    def render(self, task: Task) -> Text:
        """The rate as text, empty before the first step."""
        speed = task.finished_speed if task.finished_speed is not None else task.speed
        return Text("" if speed is None else rate(speed), style="progress.data.speed")


def rate(speed: float) -> str:
    """Format a speed in steps per second, as `212/s` or `3.4 s each`."""
    if speed <= 0:
        return ""
    if speed >= 1:
        return f"{speed:.0f}/s" if speed >= 10 else f"{speed:.1f}/s"
    seconds = 1 / speed
    return f"{seconds:.0f} s each" if seconds >= 10 else f"{seconds:.1f} s each"


@contextmanager
def progress_bar(title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Show the progress of `total` steps, `done` of them earlier, on standard error.

    Yields a function that advances it by a number of steps.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield LineProgress(title, total, done).advance
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield lambda steps: progress.advance(task, steps)


class LineProgress:
    """Progress as plain lines, none for a task that ends within `LINE_INTERVAL_S`."""

    def __init__(self, title: str, total: int, done: int = 0) -> None:
        self._title, self._total, self._done, self._earlier = title, total, done, done
        self._started = self._last_line = time.monotonic()

    def advance(self, steps: int) -> None:
        """Count `steps`, and write a line if the last one is `LINE_INTERVAL_S` old."""
        self._done += steps
        now = time.monotonic()
        if now - self._last_line < LINE_INTERVAL_S or self._done == self._earlier:
            return
        self._last_line = now
        speed = (self._done - self._earlier) / (now - self._started)
        minutes, seconds = divmod(round((self._total - self._done) / speed), 60)
        tell(
            f"{self._title}: {self._done}/{self._total}, {rate(speed)}, {minutes}:{seconds:02} left"
        )
