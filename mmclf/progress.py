"""Progress of long tasks: lines at the foot of a terminal, an occasional plain line elsewhere."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.text import Text

from mmclf.errors import tell

LINE_INTERVAL_S = 30.0  # between two lines, and before the first, where there is no terminal
REFRESHED = 5  # times a second: each takes the interpreter from what is waited for
MINUTE, HOUR, DAY = 60, 3600, 86400
BAR = 20  # characters, so that count, rate and time fit beside it in 80 columns


@functools.cache
def terminal() -> Console:
    """Standard error: one console for all, as displays on the same one share the foot of it."""
    return Console(stderr=True, highlight=False)


def is_shown() -> bool:
    """Whether standard error is a terminal that can move its cursor, whatever asks for colours."""
    console = terminal()
    can_move = console.is_terminal and not console.is_dumb_terminal
    return can_move and console.file.isatty()


class RateColumn(ProgressColumn):
    """Steps per second, or seconds per step where a step takes longer than one."""

    def render(self, task: Task) -> Text:
        """The rate as text, empty before the first step."""
        speed = task.finished_speed if task.finished_speed is not None else task.speed
        return Text("" if speed is None else rate(speed), style="progress.data.speed")


class CountColumn(ProgressColumn):
    """How many steps there are, and how many of them are done."""

    def render(self, task: Task) -> Text:
        """As `800 of 1,600`."""
        return Text(f"{task.completed:,.0f} of {task.total or 0:,.0f}", style="progress.download")


class LeftColumn(ProgressColumn):
    """The time that is left, as the speed so far tells."""

    def render(self, task: Task) -> Text:
        """As `left 3 min`, empty before the first step."""
        left = task.time_remaining
        return Text("" if left is None else f"left {duration(left)}", style="progress.remaining")


class SpentColumn(ProgressColumn):
    """The time that a task has taken, from a second on."""

    def render(self, task: Task) -> Text:
        """As `12 s`."""
        spent = task.elapsed or 0.0
        return Text("" if spent < 1 else duration(spent), style="progress.elapsed")


def rate(speed: float) -> str:
    """Format a speed in steps per second, as `212/s` or `3.4 s each`."""
    if speed <= 0:
        return ""
    if speed >= 1:
        return f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s"
    seconds = 1 / speed
    return f"{seconds:.0f} s each" if seconds >= 10 else f"{seconds:.1f} s each"


def duration(seconds: float) -> str:
    """A time in the units that one thinks of it in, as `0.4 s`, `12 s`, `3 min` or `2 h 5 min`."""
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f} s"
    if round(seconds) < 2 * MINUTE:
        return f"{seconds:.0f} s"
    if round(seconds / MINUTE) < 2 * MINUTE:
        return f"{seconds / MINUTE:.0f} min"
    hours, minutes = divmod(round(seconds / MINUTE), 60)
    if hours < 2 * DAY / HOUR:
        return f"{hours} h {minutes} min"
    return f"{hours / 24:.0f} days"


@contextmanager
def doing(what: str) -> Iterator[Callable[[str], None]]:
    """Show at the foot of a terminal what is being done; yields a function that changes it.

    What lies within may show its own progress, which stands below.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), SpentColumn())
    with _at_the_foot(*columns) as progress:
        task = progress.add_task(what, total=None)

        def change(what: str) -> None:
            progress.reset(task, description=what)

        yield change


@contextmanager
def progress_bar(title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Show the progress of `total` steps, `done` of them earlier, on standard error.

    Yields a function that advances it by a number of steps.
    """
    if not is_shown():
        yield LineProgress(title, total, done).advance
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR),
        CountColumn(),
        RateColumn(),
        LeftColumn(),
    )
    with _at_the_foot(*columns) as progress:
        task = progress.add_task(title, total=total, completed=done)
        yield lambda steps: progress.advance(task, steps)


def _at_the_foot(*columns: ProgressColumn) -> Progress:
    """A display that is gone when it ends; off a terminal it shows nothing."""
    return Progress(
        *columns,
        console=terminal(),
        transient=True,
        refresh_per_second=REFRESHED,
        # What is written to a file would go to the terminal instead.
        redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        disable=not is_shown(),
    )


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
        left = duration(round((self._total - self._done) / speed))
        tell(f"{self._title}: {self._done:,} of {self._total:,}, {rate(speed)}, left {left}")
