"""Progress of long work: a bar on a terminal, off one a line now and then."""

from __future__ import annotations

import sys
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

QUIET_S = 30.0  # between two lines, and before the first, where there is no terminal


class RateColumn(ProgressColumn):
    """Steps a second, or the seconds of a step where it takes more than one."""

    def render(self, task: Task) -> Text:
        """The rate, nothing before the first step."""
        speed = task.finished_speed if task.finished_speed is not None else task.speed
        return Text("" if speed is None else rate(speed), style="progress.data.speed")


def rate(speed: float) -> str:
    """A speed in steps a second as words, `212/s` or `3.4 s each`."""
    if speed <= 0:
        return ""
    if speed >= 1:
        return f"{speed:.0f}/s" if speed >= 10 else f"{speed:.1f}/s"
    seconds = 1 / speed
    return f"{seconds:.0f} s each" if seconds >= 10 else f"{seconds:.1f} s each"


@contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Shows `total` steps on standard error; yields what advances it by a number of steps."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines(title, total).advance
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=total)
        yield lambda steps: progress.advance(task, steps)


class Lines:
    """Progress as plain lines, none for work that is done soon."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0
        self._started = self._told = time.monotonic()

    def advance(self, steps: int) -> None:
        """Count `steps`, and tell them if the last line was long ago."""
        self._done += steps
        now = time.monotonic()
        if now - self._told < QUIET_S or self._done == 0:
            return
        self._told = now
        speed = self._done / (now - self._started)
        minutes, seconds = divmod(round((self._total - self._done) / speed), 60)
        sys.stderr.write(
            f"mmclf: {self._title}: {self._done}/{self._total}, {rate(speed)}, "
            f"{minutes}:{seconds:02} left\n"
        )
