"""The store: the result of a stage is read from its entry, or computed by one process."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from mmclf.errors import InputError, tell
from mmclf.storage.meter import Meter, Use
from mmclf.storage.store.atomic_write import DISK_FULL
from mmclf.storage.store.entry import (
    RECORD,
    DamagedError,
    Entry,
    OutdatedError,
    Stage,
    StageTiming,
    new_entry,
    open_entry,
    write_record,
)
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.inner_files import remove_entry
from mmclf.storage.store.remote import Remote
from mmclf.storage.store.serializer import UNREADABLE, Serializer
from mmclf.storage.store.stage_lock import held
from mmclf.storage.store.stage_result import Computed, StageResult

__all__ = ["Computed", "StageResult", "Store"]

T = TypeVar("T")


class Store:
    """The results of stages, below `folder`.

    Attributes:
        hasher: hashes files; caches their digests in the store.

    Args:
        folder: is made if missing; raises InputError if that fails.
        hardware: description of the device that computes new results.
        meter: measures what new results take beside time; None if nobody asks.
        remote: the store behind it, from which results are fetched and to which they are sent.

    """

    def __init__(
        self,
        folder: Path,
        hardware: str,
        meter: Meter | None = None,
        remote: Remote | None = None,
    ) -> None:
        self.folder = folder
        self.hasher = FileHasher(folder / "sums")
        self._hardware = hardware
        self._meter = meter
        self._remote = remote
        self._run: str | None = None
        self._unsigned: dict[str, Path] = {}  # by key, entries written before the run had an id
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def sign(self, run: str) -> None:
        """Record the run's id in the results that it computes, also in those it has computed."""
        self._run = run
        for folder in self._unsigned.values():
            try:
                entry = open_entry(folder)
                write_record(replace(entry, timing=replace(entry.timing, run=run)))
            except (OSError, DamagedError):
                continue  # another process has removed it, or the disk is full
            if self._remote is not None:
                self._remote.send(folder, again=True)

    def signed(self, timing: StageTiming) -> StageTiming:
        """`timing` with the run's id, if the result was computed before the run had one."""
        return replace(timing, run=self._run) if timing.key in self._unsigned else timing

    def timing(
        self, stage: Stage, seconds: float, count: int, use: Use | None = None
    ) -> StageTiming:
        """The cost of what this run computes on this hardware."""
        use = use if use is not None else Use()
        return StageTiming(
            stage.name,
            stage.key,
            seconds,
            count,
            self._hardware,
            self._run,
            use.peak_mb,
            use.energy_wh,
        )

    def entry(self, stage: Stage) -> Entry | None:
        """The entry of a stage, or None if it is missing or damaged; its files are not read."""
        try:
            return open_entry(self.folder_of(stage))
        except (OSError, DamagedError):
            return None

    def is_stored(self, stage: Stage) -> bool:
        """Whether the result of a stage is here, or in the remote store."""
        folder = self.folder_of(stage)
        return self.entry(stage) is not None or (
            self._remote is not None and self._remote.has(folder)
        )

    def get(self, stage: Stage, serializer: Serializer[T]) -> StageResult[T] | None:
        """The stored result of a stage, or None if it is missing or damaged.

        What is missing here is fetched from the remote store.
        """
        stored = self._get_here(stage, serializer)
        if stored is not None or self._remote is None or self._is_here(stage):
            return stored
        with suppress(OSError), self._held(stage):
            return self._get_here(stage, serializer) or self._fetched(stage, serializer)
        return None

    def _get_here(self, stage: Stage, serializer: Serializer[T]) -> StageResult[T] | None:
        try:
            return self._read(stage, serializer)
        except UNREADABLE:
            return None

    def _fetched(self, stage: Stage, serializer: Serializer[T]) -> StageResult[T] | None:
        """The result from the remote store; None if there is none, or it cannot be read."""
        if self._remote is None or not self._remote.fetch(self.folder_of(stage)):
            return None
        return self._get_here(stage, serializer)

    def _is_here(self, stage: Stage) -> bool:
        return os.path.lexists(self.folder_of(stage))

    def get_or_compute(
        self,
        stage: Stage,
        serializer: Serializer[T],
        compute: Callable[[], Computed[T]],
        *,
        reopen: bool = False,
    ) -> StageResult[T]:
        """The stored result of a stage; if there is none, it is computed and stored.

        Of several processes that ask for it at the same time, one computes it. A damaged entry is
        computed again; if the disk is full, the value is not stored. Both write a warning.

        Args:
            stage: what determines the result.
            serializer: writes and reads the value.
            compute: computes the value.
            reopen: read a new value back from its entry, for values too large for memory; OSError
                is raised if the disk is full.

        """
        stored = self._get_here(stage, serializer)
        if stored is not None:
            return stored
        with ExitStack() as stack:
            try:
                stack.enter_context(self._held(stage))
            except OSError as error:
                if reopen:
                    raise
                if error.errno not in DISK_FULL:
                    raise self._unwritable(error) from error
                return self._unstored(stage, *self._measured(compute), error)
            stored = self._read_or_discard(stage, serializer)
            if stored is not None:
                return stored
            computed, use = self._measured(compute)
            try:
                result = self._write(stage, serializer, computed, use)
            except OSError as error:
                if reopen:
                    raise
                return self._unstored(stage, computed, use, error)
            return replace(self._read(stage, serializer), reused=False) if reopen else result

    def _measured(self, compute: Callable[[], Computed[T]]) -> tuple[Computed[T], Use]:
        """A new value, and what computing it took."""
        if self._meter is None:
            return compute(), Use()
        with self._meter.measure() as use:
            computed = compute()
        return computed, use

    def _write(
        self, stage: Stage, serializer: Serializer[T], computed: Computed[T], use: Use
    ) -> StageResult[T]:
        """Write the entry of a value; leaves nothing behind if that fails.

        If another process, whose lock was not seen here, has written one meanwhile, that one
        stays, as other results may have been made from it.
        """
        result = self._result(stage, computed, use)
        folder = self.folder_of(stage)
        others: list[StageResult[T]] = []

        def is_whole() -> bool:
            other = self._get_here(stage, serializer)
            others.extend([other] if other is not None else [])
            return other is not None

        entry = new_entry(folder, stage, result.timing, result.inputs, others_stay=is_whole)
        with entry as unfinished:
            serializer.write(computed.value, unfinished)
        if others:
            return others[0]
        if self._run is None:
            self._unsigned[stage.key] = folder
        if self._remote is not None:
            self._remote.send(folder)
        return result

    def _unstored(
        self, stage: Stage, computed: Computed[T], use: Use, error: OSError
    ) -> StageResult[T]:
        """The result without storing it, if the disk is full; raises InputError otherwise."""
        if error.errno not in DISK_FULL:
            raise self._unwritable(error) from error
        tell(
            f"{self.folder} has no space for the result of {stage.name} ({error.strerror}): the "
            "run goes on without storing it; `mmclf cache` shows what is stored, and prunes it"
        )
        return self._result(stage, computed, use)

    def _result(self, stage: Stage, computed: Computed[T], use: Use) -> StageResult[T]:
        timing = self.timing(stage, computed.seconds, computed.count, use)
        inputs = tuple(self.signed(timing) for timing in dict.fromkeys(computed.inputs))
        return StageResult(computed.value, timing, inputs, reused=False)

    def _read(self, stage: Stage, serializer: Serializer[T]) -> StageResult[T]:
        entry = open_entry(self.folder_of(stage))
        value = serializer.read(entry)
        self._touch(entry)
        if self._remote is not None:
            self._remote.send(entry.folder)
        return StageResult(value, entry.timing, entry.inputs, reused=True)

    def _read_or_discard(self, stage: Stage, serializer: Serializer[T]) -> StageResult[T] | None:
        try:
            return self._read(stage, serializer)
        except (FileNotFoundError, OutdatedError):
            what = ""
        except UNREADABLE as error:
            what = f"{error}: {stage.name} is made again"
        self._discard(stage)
        fetched = self._fetched(stage, serializer)
        if what and fetched is None:
            tell(what)
        elif what:
            tell(what.replace("made again", "fetched again"))
        if fetched is None:  # one that another version wrote may have come
            self._discard(stage)
        return fetched

    def _discard(self, stage: Stage) -> None:
        remove_entry(self.folder_of(stage))

    def folder_of(self, stage: Stage) -> Path:
        """The folder of a stage's entry, whether or not there is one."""
        return self.folder / stage.name / stage.key

    def _touch(self, entry: Entry) -> None:
        # When an entry was last used decides what `mmclf cache --prune` removes first.
        with suppress(OSError):  # of a read-only store
            os.utime(entry.folder / RECORD)

    def _held(self, stage: Stage) -> AbstractContextManager[None]:
        """The lock of a stage's key, to be held."""
        folder = self.folder_of(stage)
        folder.parent.mkdir(parents=True, exist_ok=True)
        return held(
            folder,
            lambda: tell(f"waiting for another process, which makes the result of {stage.name}"),
        )

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(
            f"store.dir: {self.folder} cannot be written to ({error.strerror or error}): give "
            "store.dir=DIR of a folder that you may write to"
        )
