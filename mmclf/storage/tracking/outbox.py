"""What a run logs, sent in order; kept while nobody answers, and in files if that lasts."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mlflow.tracking import MlflowClient

from mmclf.errors import tell
from mmclf.storage.tracking.answers import HURRIED_S, UPLOAD_S, bounded, is_away, reason
from mmclf.storage.tracking.logged import Artifacts, End, Logged
from mmclf.storage.tracking.logged_model import Model
from mmclf.storage.tracking.uninterrupted import uninterrupted
from mmclf.storage.tracking.unsent import Unsent
from mmclf.storage.waiting import CALL_S, within

RETRY_S = 5.0  # between two attempts, at least; a hung server takes CALL_S of each
WAIT_S = 1.0  # between two at the end of a run, which has nothing else to do


@dataclass(frozen=True)
class Patience:
    """What is done while nobody answers.

    Args:
        seconds: for which what is logged is kept and tried again.
        folder: of the files that it is written to after that.

    """

    seconds: float
    folder: Path


class Outbox:
    """Sends what is logged to a run.

    Args:
        client: of the server or database.
        run_id: of the run.
        is_local: a sqlite database, whose writes an interruption waits for.
        patience: while nobody answers.

    """

    def __init__(
        self,
        client: MlflowClient,
        run_id: str,
        is_local: bool,
        patience: Patience,
    ) -> None:
        self._client, self._run_id, self._patience = client, run_id, patience
        self._is_local = is_local
        self._unsent = Unsent(patience.folder, run_id)
        self._waiting: list[Logged] = []
        self._away_since: float | None = None
        self._tried = 0.0  # when an attempt failed last
        self._given_up = self._is_notified = False

    def put(self, logged: Logged) -> None:
        """Send it, after what is waiting; keep it if nobody answers.

        Raises what MLflow raises if it is refused, and OSError if it cannot be kept.
        """
        self._waiting.append(logged)
        if self._given_up:
            self._write()
        elif self._away_since is None or time.monotonic() - self._tried >= RETRY_S:
            self._send_waiting()
        if isinstance(logged, Artifacts) and self._waiting and self._waiting[-1] is logged:
            # Its folder will be gone by the time that somebody answers.
            self._waiting[-1] = self._unsent.kept(logged)

    def end(self, logged: End, *, hurried: bool) -> None:
        """Send all that waits and the end, or write them to files.

        `hurried`: at once, as the process was told to end; else as long as patience lasts.
        """
        self._waiting.append(logged)
        try:
            if hurried:
                self._hurry()
            while self._waiting and not self._given_up:
                self._send_waiting()
                if self._waiting and not self._given_up:
                    time.sleep(WAIT_S)
        finally:  # also if the process is told to end meanwhile
            if self._waiting:
                self._write()
            else:
                self._unsent.clear()

    def _send_waiting(self) -> None:
        while self._waiting:
            first = self._waiting[0]
            try:
                self._send(first, UPLOAD_S if isinstance(first, Artifacts | Model) else CALL_S)
            except Exception as error:
                if not is_away(error):
                    self._waiting.pop(0)
                    raise
                self._miss(error)
                return
            self._waiting.pop(0)
        self._unsent.clear()
        if self._away_since is not None:
            self._away_since = None
            tell(f"the tracking of run {self._run_id} answers again: what waited was sent")

    def _send(self, logged: Logged, seconds: float) -> None:
        """Send it to a server within so many seconds, or to a database."""
        if self._is_local:
            with uninterrupted():
                logged.send(self._client, self._run_id)
            return
        with bounded(seconds):
            within(seconds, partial(logged.send, self._client, self._run_id))

    def _miss(self, error: Exception) -> None:
        self._tried = time.monotonic()
        if self._away_since is None:
            self._away_since = self._tried
            tell(
                f"the tracking of run {self._run_id} does not answer ({reason(error)}): the run "
                f"goes on, and what it logs waits for {self._patience.seconds:.0f} s"
            )
        if self._tried - self._away_since >= self._patience.seconds:
            self._given_up = True
            self._write()

    def _hurry(self) -> None:
        """Try once, for `HURRIED_S` in all; what is left is written to files."""
        waiting = list(self._waiting)

        def send() -> None:
            while waiting:
                waiting[0].send(self._client, self._run_id)
                waiting.pop(0)

        # Whatever went wrong, the files have it.
        with bounded(HURRIED_S), suppress(Exception):
            within(HURRIED_S, send)
        self._waiting = list(waiting)
        self._given_up = bool(self._waiting)

    def _write(self) -> None:
        """Write what waits to files, and say so once."""
        self._unsent.add(self._waiting)
        self._waiting.clear()
        if not self._is_notified:
            self._is_notified = True
            tell(
                f"the tracking of run {self._run_id} does not answer: what it could not be told is "
                f"in {self._unsent.file}; when it answers, send it by mmclf runs --send "
                f"{self._run_id}"
            )
