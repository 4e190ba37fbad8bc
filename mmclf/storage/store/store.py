"""The store: a stage's result out of its entry, or made anew, by one process of several."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from filelock import FileLock, Timeout

from mmclf.errors import InputError
from mmclf.storage.store.atomic_write import sync_folder
from mmclf.storage.store.entry import (
    RECORD,
    DamagedError,
    Entry,
    OutdatedError,
    Stage,
    StageTiming,
    open_entry,
    seal,
    write_record,
)
from mmclf.storage.store.file_hasher import FileHasher

T = TypeVar("T")
FULL = (errno.ENOSPC, errno.EDQUOT)
PATIENCE_S = 2.0  # of waiting for another process in silence
# What reading can raise of content that its reader did not write, though the sums be right.
UNREADABLE = (DamagedError, OSError, ValueError, LookupError, TypeError, EOFError)


class Serializer(Protocol[T]):
    """How the value of a stage is written to files and read back."""

    def write(self, value: T, folder: Path, /) -> None:
        """Write it to files in `folder`: NumPy, safetensors, JSON."""

    def read(self, entry: Entry, /) -> T:
        """The value, out of an entry's files; raises DamagedError as `Entry.path` does."""


@dataclass(frozen=True)
class Computed(Generic[T]):
    """A value of `count` samples, computed in `seconds` from results that cost `inputs`."""

    value: T
    seconds: float
    count: int
    inputs: Sequence[StageTiming] = ()


@dataclass(frozen=True)
class StageResult(Generic[T]):
    """A stage's value, what it cost when it was made, and the costs of all that it was made from.

    `found`: it was stored already, or made by another process meanwhile.
    """

    value: T
    timing: StageTiming
    inputs: tuple[StageTiming, ...]
    found: bool

    @property
    def timings(self) -> tuple[StageTiming, ...]:
        """Its own cost and those of its inputs."""
        return (self.timing, *self.inputs)


class Store:
    """Results of stages below `folder`; what is made here is made on `hardware`.

    `hasher` hashes files, and remembers their digests beside the results. Raises InputError if the
    folder cannot be made.
    """

    def __init__(self, folder: Path, hardware: str) -> None:
        self.folder = folder
        self.hasher = FileHasher(folder / "sums")
        self._hardware = hardware
        self._run: str | None = None
        self._early: dict[str, Path] = {}  # by key, what was made before the run had an id
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def sign(self, run: str) -> None:
        """Say which run it is that makes what is made here, also what has been made already."""
        self._run = run
        for folder in self._early.values():
            try:
                entry = open_entry(folder)
                write_record(replace(entry, timing=replace(entry.timing, run=run)))
            except (OSError, DamagedError):
                continue  # another process has removed it, or a full disk has no room for a name

    def signed(self, timing: StageTiming) -> StageTiming:
        """A cost with the run's id, if it was made here before the run had one."""
        return replace(timing, run=self._run) if timing.key in self._early else timing

    def entry(self, stage: Stage) -> Entry | None:
        """The entry of a stage, its files not read, or None if there is none that is whole."""
        try:
            return open_entry(self._folder_of(stage))
        except (OSError, DamagedError):
            return None

    def get(self, stage: Stage, serializer: Serializer[T]) -> StageResult[T] | None:
        """The stored result of a stage, or None if there is none that is whole."""
        try:
            return self._read(stage, serializer)
        except UNREADABLE:
            return None

    def get_or_compute(
        self,
        stage: Stage,
        serializer: Serializer[T],
        compute: Callable[[], Computed[T]],
        *,
        reopen: bool = False,
    ) -> StageResult[T]:
        """The stored result of a stage; if there is none, it is computed and stored.

        Processes that want it at once compute it once. A damaged entry is made again, and a disk
        without space for a new one leaves the value unstored, both with a line of warning.

        Args:
            reopen: the value stays on the disk: it is read back from its entry once it lies there,
                and OSError is raised where there is no space for it.

        """
        stored = self.get(stage, serializer)
        if stored is not None:
            return stored
        try:
            lock = self._acquire(stage)
        except OSError as error:
            if reopen:
                raise
            if error.errno not in FULL:
                raise self._unwritable(error) from error
            return self._unstored(stage, compute(), error)
        try:
            stored = self._read_or_discard(stage, serializer)
            if stored is not None:
                return stored
            computed = compute()
            try:
                result = self._write(stage, serializer, computed)
            except OSError as error:
                if reopen:
                    raise
                return self._unstored(stage, computed, error)
            return replace(self._read(stage, serializer), found=False) if reopen else result
        finally:
            lock.release()

    def _write(
        self, stage: Stage, serializer: Serializer[T], computed: Computed[T]
    ) -> StageResult[T]:
        """Make an entry of a value; nothing is left of one that fails."""
        result = self._result(stage, computed)
        folder = self._folder_of(stage)
        unfinished = folder.with_name(f"{folder.name}.part")  # a killed process may have left one
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            unfinished.mkdir(parents=True)
            serializer.write(computed.value, unfinished)
            seal(unfinished, stage, result.timing, result.inputs)
            unfinished.replace(folder)
            sync_folder(folder.parent)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        if self._run is None:
            self._early[stage.key] = folder
        return result

    def _unstored(self, stage: Stage, computed: Computed[T], error: OSError) -> StageResult[T]:
        """A result that a full disk has no room for; raises InputError for any other reason."""
        if error.errno not in FULL:
            raise self._unwritable(error) from error
        _warn(
            f"{self.folder} has no space for the result of {stage.name} ({error.strerror}): the "
            "run goes on without storing it; `mmclf cache` shows what is stored, and prunes it"
        )
        return self._result(stage, computed)

    def _result(self, stage: Stage, computed: Computed[T]) -> StageResult[T]:
        timing = StageTiming(
            stage.name, stage.key, computed.seconds, computed.count, self._hardware, self._run
        )
        inputs = tuple(self.signed(timing) for timing in dict.fromkeys(computed.inputs))
        return StageResult(computed.value, timing, inputs, found=False)

    def _read(self, stage: Stage, serializer: Serializer[T]) -> StageResult[T]:
        entry = open_entry(self._folder_of(stage))
        value = serializer.read(entry)
        self._touch(entry)
        return StageResult(value, entry.timing, entry.inputs, found=True)

    def _read_or_discard(self, stage: Stage, serializer: Serializer[T]) -> StageResult[T] | None:
        try:
            return self._read(stage, serializer)
        except (FileNotFoundError, OutdatedError):
            pass
        except UNREADABLE as error:
            _warn(f"{error}: {stage.name} is made again")
        self._discard(stage)
        return None

    def _discard(self, stage: Stage) -> None:
        shutil.rmtree(self._folder_of(stage), ignore_errors=True)

    def _folder_of(self, stage: Stage) -> Path:
        return self.folder / stage.name / stage.key

    def _touch(self, entry: Entry) -> None:
        # When an entry was last used decides what `mmclf cache --prune` removes first.
        with suppress(OSError):  # of a store that one may only read
            os.utime(entry.folder / RECORD)

    def _acquire(self, stage: Stage) -> FileLock:
        """The lock of a stage's key, held; a process that is killed lets it go."""
        folder = self._folder_of(stage)
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{folder}.lock")
        try:
            lock.acquire(timeout=PATIENCE_S)
        except Timeout:
            _warn(f"waiting for another process, which makes the result of {stage.name}")
            lock.acquire()
        return lock

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(
            f"store.dir: {self.folder} cannot be written to ({error.strerror or error}): give "
            "store.dir=DIR of a folder that you may write to"
        )


def _warn(text: str) -> None:
    sys.stderr.write(f"mmclf: {text}\n")
