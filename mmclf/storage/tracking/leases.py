"""Leases: which process runs which cell of a study, where several share a tracking server.

A server offers one thing that only one of several writers gets: a run's parameter, which is written
once. The study's parent run has, for attempt N at a cell,

    lease.CELL.N      who runs it
    lease.CELL.N.end  how that ended: `done`, `failed`, `interrupted` as its process was told to
                      end, or `revoked` by another who found it dead

and, while it goes on, the tag `mmclf.lease.CELL` as a heartbeat. Who writes `.end` first has
decided: a run that another has revoked does not finish, however late it comes back.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, ErrorCode
from mlflow.tracking import MlflowClient

from mmclf.errors import TakenOverError
from mmclf.storage.process_identity import is_gone, this_process
from mmclf.storage.store.hashing import digest
from mmclf.storage.tracking.answers import HURRIED_S, bounded, is_away
from mmclf.storage.tracking.uninterrupted import uninterrupted
from mmclf.storage.waiting import CALL_S, within

BEAT_S = 10.0  # between two heartbeats
STALE_S = 60.0  # without one, after which a process elsewhere counts as dead
RETRY_S = 2.0
LEASE_TAG = "mmclf.lease"  # of a run: the attempt that it is
BEAT_TAG = "mmclf.lease."  # of the parent, with the cell behind it
PARAM = re.compile(r"lease\.(?P<cell>[0-9a-f]{12})\.(?P<attempt>[0-9]{1,6})(?P<end>\.end)?")
ALREADY = ErrorCode.Name(INVALID_PARAMETER_VALUE)

Ending = Literal["done", "failed", "interrupted", "revoked"]


def cell_of(arm: str, seed: int) -> str:
    """The name of an arm's cell with a seed, as 12 hexadecimal digits."""
    return digest([arm, seed])[:12]


@dataclass(frozen=True)
class Attempt:
    """The latest attempt at a cell.

    Args:
        cell: its name.
        number: from 1 on.
        owner: the process that makes it.
        end: how it ended, None while it has not.
        beat: its last heartbeat, empty before the first.

    """

    cell: str
    number: int
    owner: str
    end: str | None
    beat: str

    @property
    def name(self) -> str:
        """As the tag of the run that is made under it."""
        return f"{self.cell}.{self.number}"

    @property
    def owner_is_gone(self) -> bool:
        """Whether its process is known to have ended."""
        return is_gone(self.owner)


class Leases:
    """The leases of a study, on its parent run."""

    def __init__(self, client: MlflowClient, experiment_id: str, parent: str) -> None:
        self._client, self._experiment_id, self.parent = client, experiment_id, parent

    def attempts(self) -> dict[str, Attempt]:
        """The latest attempt at each cell that anybody has begun."""
        with bounded(CALL_S):
            data = self._client.get_run(self.parent).data
        latest: dict[str, tuple[int, str]] = {}
        for key, value in data.params.items():
            match = PARAM.fullmatch(key)
            if match is not None and match["end"] is None:
                number = int(match["attempt"])
                if number > latest.get(match["cell"], (0, ""))[0]:
                    latest[match["cell"]] = (number, value)
        return {
            cell: Attempt(
                cell,
                number,
                owner,
                data.params.get(_key(cell, number, ".end")),
                data.tags.get(f"{BEAT_TAG}{cell}", ""),
            )
            for cell, (number, owner) in latest.items()
        }

    def latest(self, cell: str) -> Attempt | None:
        """The latest attempt at one cell.

        MLflow gives a run with all its parameters or not at all, and those of a large study's
        parent are many: they are read only if this cell has been begun before.
        """
        with bounded(CALL_S):
            begun = self._client.search_runs(
                [self._experiment_id],
                f"attributes.run_id = '{self.parent}' AND params.`{_key(cell, 1)}` LIKE '%'",
            )
        return self.attempts().get(cell) if begun else None

    def take(self, cell: str, after: Attempt | None) -> Lease | None:
        """Begin the attempt that follows the one `after`, which is over; None if another did."""
        if after is not None and after.end is None and not self.end(cell, after.number, "revoked"):
            return None
        number = 1 if after is None else after.number + 1
        if not self._write_once(_key(cell, number), this_process()):
            return None
        return Lease(self, cell, number)

    def end(self, cell: str, number: int, how: Ending) -> bool:
        """End an attempt; False if it has been ended otherwise."""
        return self._write_once(_key(cell, number, ".end"), how)

    def beat(self, cell: str, count: int) -> None:
        """Say that the attempt at a cell goes on."""
        with bounded(CALL_S):
            self._client.set_tag(self.parent, f"{BEAT_TAG}{cell}", str(count))

    def forget_beat(self, cell: str) -> None:
        """Take the heartbeat away, which says nothing of an attempt that has ended."""
        with bounded(HURRIED_S):
            self._client.delete_tag(self.parent, f"{BEAT_TAG}{cell}")

    def _write_once(self, key: str, value: str) -> bool:
        """Write a parameter; False if it is there with another value."""
        try:
            with uninterrupted(), bounded(CALL_S):
                self._client.log_param(self.parent, key, value)
        except MlflowException as error:
            if error.error_code != ALREADY:
                raise
            return False
        return True


@dataclass
class Lease:
    """An attempt of this process at a cell, with heartbeats while the block goes on."""

    leases: Leases
    cell: str
    number: int
    is_over: threading.Event = field(default_factory=threading.Event)
    _beats: int = 0

    @property
    def name(self) -> str:
        """As the tag of the run that is made under it."""
        return f"{self.cell}.{self.number}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_over.set()
        how: Ending = "done"
        if kind is not None:
            how = "failed" if issubclass(kind, Exception) else "interrupted"
        # If nobody answers, others find the attempt without a heartbeat.
        with suppress(Exception):
            within(HURRIED_S, lambda: self.leases.end(self.cell, self.number, how))
            if self._beats > 0:
                # Or MLflow's page of the parent would list one for each run.
                self._thread.join(RETRY_S)
                within(HURRIED_S, lambda: self.leases.forget_beat(self.cell))

    def finish(self, patience_s: float) -> None:
        """Settle that the run finishes; raises TakenOverError if another has taken the cell over.

        Of a server that is away for longer than `patience_s` it is believed that nobody could.
        """
        until = time.monotonic() + patience_s
        while True:
            try:
                is_ours = self.leases.end(self.cell, self.number, "done")
                break
            except Exception as error:
                if not is_away(error):
                    raise
            if time.monotonic() >= until:
                return
            time.sleep(RETRY_S)
        if not is_ours:
            raise TakenOverError(
                f"another process has taken over {self.name}, as this one gave no sign of life "
                f"for {STALE_S:.0f} s"
            )

    def _beat(self) -> None:
        while not self.is_over.wait(BEAT_S):
            self._beats += 1
            # One that is missed is made up for by the next.
            with suppress(Exception):
                self.leases.beat(self.cell, self._beats)


class Watch:
    """Which attempts are dead, by this process's own clock: others' clocks may be wrong."""

    def __init__(self, stale_s: float) -> None:
        self._stale_s = stale_s
        self._seen: dict[Attempt, float] = {}

    def dead(self, attempts: Collection[Attempt], now: float) -> list[Attempt]:
        """Those of the attempts that have not changed for so long, at the time `now` in seconds."""
        self._seen = {attempt: self._seen.get(attempt, now) for attempt in attempts}
        return [of for of, since in self._seen.items() if now - since >= self._stale_s]


def _key(cell: str, number: int, suffix: str = "") -> str:
    return f"lease.{cell}.{number}{suffix}"
