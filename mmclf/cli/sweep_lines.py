"""What a sweep or a study shows while it runs: a line each run that ends, and the time left."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from mmclf.errors import InputError, printable, relate
from mmclf.plots.words import counted, score, shortened
from mmclf.progress import doing, duration
from mmclf.storage.tracking import TrackedRun, Tracker

POLL_S = 2.0  # between two looks at the runs of other processes
PAUSES_A_LOOK = 10.0  # the least pause, in times of what the last look took
WIDEST_NAME = 44  # characters, so that a line fits 80 columns
LONGEST_ERROR = 300
ENDED = ("FINISHED", "FAILED", "KILLED")


class SweepLines:
    """Tells of the runs of one command, whichever process each is in, and each once.

    Args:
        total: how many runs there are.
        widest: characters of the longest name of a run.
        metric: of F1, that is shown of each run.

    """

    def __init__(self, total: int, widest: int, metric: str = "test/f1_samples") -> None:
        self._metric = metric
        self._total, self._widest = total, min(widest, WIDEST_NAME)
        self._told: set[str] = set()
        self._done = 0
        self._started = self._first = time.monotonic()
        self._lock = threading.Lock()
        self._now: Callable[[str], None] = _silent
        self.is_watched = False  # whether runs are told of as they are tracked

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show at the foot of a terminal how far it is."""
        with doing(self.state()) as self._now:
            yield

    def starts(self, name: str) -> None:
        """A run of this process starts."""
        self._now(f"{self.state()}, now {printable(name)}")

    def finished(self, name: str, run_id: str, metrics: Mapping[str, float]) -> None:
        """A run has finished."""
        f1, seconds = (metrics.get(key, math.nan) for key in (self._metric, "time/wall_s"))
        self._tell(name, run_id, f"F1 {score(f1)}  {duration(seconds):>6}")

    def failed(self, name: str) -> None:
        """A run of this process has failed; where all are watched, that tells of it."""
        if not self.is_watched:
            self._tell(name, None, "failed")

    def of_tracked(self, run: TrackedRun, name: str) -> None:
        """A run of another process, as it is tracked."""
        if run.status == "FINISHED":
            self.finished(name, run.id, run.metrics)
        elif run.status in ENDED:
            error = shortened(run.tags.get("mmclf.error", ""), LONGEST_ERROR)
            self._tell(name, run.id, f"{run.status.lower()}  {error}".rstrip())

    def _tell(self, name: str, run_id: str | None, words: str) -> None:
        with self._lock:
            if run_id is not None and run_id in self._told:
                return
            self._told |= {run_id} if run_id is not None else set()
            self._done += 1
            self._total = max(self._total, self._done)
            of = f"{self._done:>{len(str(self._total))}} of {self._total}"
            shown = f"{shortened(name, WIDEST_NAME):<{self._widest}}"
            left = self._left()
            relate("  ".join(filter(None, [of, shown, words, left and f"left {left}"])))
        self._now(self.state())

    def _left(self) -> str:
        """The time that is left if the other runs take as long as those that are done.

        From the third on without the first, which computes what all share.
        """
        left, now = self._total - self._done, time.monotonic()
        if self._done == 1:
            self._first = now
        if left <= 0:
            return ""
        since, done = (
            (self._first, self._done - 1) if self._done > 2 else (self._started, self._done)
        )
        return duration(round(left * (now - since) / done))

    def state(self) -> str:
        """As `3 of 14 runs done`."""
        return f"{self._done} of {counted(self._total, 'run')} done"


def _silent(_what: str) -> None:
    """Where nothing is shown."""


@contextmanager
def watched(
    lines: SweepLines, tracker: Tracker, parent: str, name: Callable[[TrackedRun], str]
) -> Iterator[None]:
    """Tell of the runs below `parent` that other processes run, as they end."""
    lines.is_watched = True
    before = {run.id for run in tracker.children(parent)}
    over = threading.Event()

    def look() -> None:
        for run in reversed(tracker.children(parent)):
            if run.id not in before and run.status in ENDED:
                lines.of_tracked(run, name(run))

    def go_on() -> None:
        pause = POLL_S
        while not over.wait(pause):
            began = time.monotonic()
            with suppress(InputError):  # whoever does not answer now may do so later
                look()
            # Of very many runs a look takes seconds itself, which the jobs need.
            pause = max(POLL_S, PAUSES_A_LOOK * (time.monotonic() - began))

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    with suppress(InputError):
        look()
