"""Entries: a stored result as a folder of files, with a record of its stage and its cost.

The record `entry.json` lists every file with its size and digest, and holds a digest of itself.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmclf.storage.process_identity import this_process
from mmclf.storage.store.atomic_write import sync_file, sync_folder, write_atomic
from mmclf.storage.store.file_hasher import file_digest
from mmclf.storage.store.hashing import digest, plain
from mmclf.storage.store.inner_files import (
    files_below,
    inner_file,
    is_inner_name,
    put_in_place,
    remove_entry,
    remove_tree,
    unfinished_name,
)

FORMAT = 1
RECORD = "entry.json"


class DamagedError(Exception):
    """The files of a stored result have changed since they were written."""


class OutdatedError(DamagedError):
    """A stored result is intact, but its stage would now compute another one."""


@dataclass(frozen=True)
class Stage:
    """A computation whose result can be stored.

    Args:
        name: of the kind of stage, as `encode`.
        version: to be raised when the stage computes something else from the same arguments.
        arguments: plain values that determine the result, large ones as their digests.

    """

    name: str
    version: int
    arguments: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """The digest of name, version and arguments; the same in every process."""
        return digest([self.name, self.version, self.arguments])


@dataclass(frozen=True)
class StageTiming:
    """The cost of computing a result.

    Args:
        stage: the stage's name.
        key: the stage's key.
        seconds: spent on computing.
        count: of samples, views or the like that were processed.
        hardware: description of the device.
        run: id of the run that computed it; None before the run has an id.
        peak_mb: the most memory that was in use meanwhile; None if not known.
        energy_wh: that it took; None if not known.

    """

    stage: str
    key: str
    seconds: float
    count: int
    hardware: str
    run: str | None
    peak_mb: float | None = None
    energy_wh: float | None = None


@dataclass(frozen=True)
class Entry:
    """A stored result.

    Args:
        folder: of its files.
        timing: what computing it cost.
        inputs: the costs of all results that it was computed from, directly or not.
        arguments: those of its stage.
        created: time in seconds since the epoch.
        files: size in bytes and digest of each file.

    """

    folder: Path
    timing: StageTiming
    inputs: tuple[StageTiming, ...]
    arguments: Mapping[str, Any]
    created: float
    files: Mapping[str, tuple[int, str]]

    def path(self, name: str) -> Path:
        """The path of the file `name`; raises DamagedError if the file has changed."""
        path = self.unverified_path(name)
        size, expected = self.files[name]
        try:
            if path.stat().st_size != size or file_digest(path) != expected:
                raise DamagedError(f"{path} has changed since it was stored")
        except OSError as error:
            raise DamagedError(f"{path} cannot be read ({error.strerror})") from error
        return path

    def unverified_path(self, name: str) -> Path:
        """The path of the file `name`, whose content is not looked at.

        Raises DamagedError if it is none of the entry's, is missing, a link, or no file.
        """
        if name not in self.files:
            raise DamagedError(f"{self.folder / name} is not of this entry")
        try:
            return inner_file(self.folder, name)
        except ValueError as error:
            raise DamagedError(f"{self.folder / name}: {error}") from error
        except OSError as error:
            raise DamagedError(f"{self.folder / name} cannot be read ({error.strerror})") from error

    def read(self, name: str) -> bytes:
        """The content of the file `name`; raises DamagedError if the file has changed."""
        return self.path(name).read_bytes()

    @property
    def size(self) -> int:
        """The size of all files in bytes."""
        return sum(size for size, _ in self.files.values())


def open_entry(folder: Path) -> Entry:
    """The entry in `folder`; its record is checked, its other files are not read.

    Raises FileNotFoundError if there is no record, DamagedError if the record has changed, is no
    file, or names files outside of the entry.
    """
    try:
        return read_record(inner_file(folder, RECORD).read_bytes(), folder)
    except NotADirectoryError as error:
        raise DamagedError(f"{folder} is no folder") from error
    except ValueError as error:
        raise DamagedError(f"{folder / RECORD} has changed since it was stored") from error


def read_record(data: bytes, folder: Path) -> Entry:
    """The entry of `folder` whose record has this content; raises DamagedError as `open_entry`."""
    try:
        record = json.loads(data)
        _check_record(record, data, folder)
        return Entry(
            folder=folder,
            timing=_timing(record["cost"]),
            inputs=tuple(map(_timing, record["inputs"])),
            arguments=dict(record["arguments"]),
            created=float(record["created"]),
            files={name: (size, value) for name, (size, value) in record["files"].items()},
        )
    except (
        *(ValueError, LookupError, TypeError, AttributeError),
        *(RecursionError, OverflowError),
    ) as error:
        raise DamagedError(f"{folder / RECORD} has changed since it was stored") from error


def _timing(value: Mapping[str, Any]) -> StageTiming:
    """The cost in a record; raises ValueError or TypeError if it is none."""
    timing = StageTiming(**value)
    texts = (
        timing.stage,
        timing.key,
        timing.hardware,
        timing.run if timing.run is not None else "",
    )
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("found something else in the place of a text")
    if type(timing.count) is not int or not 0 <= float(timing.seconds) < math.inf:
        raise ValueError("found no time, or no count")
    for used in (timing.peak_mb, timing.energy_wh):
        if used is not None and not 0 <= float(used) < math.inf:
            raise ValueError("found no memory, or no energy")
    return timing


@contextmanager
def new_entry(
    folder: Path,
    stage: Stage,
    timing: StageTiming,
    inputs: Sequence[StageTiming] = (),
    *,
    others_stay: Callable[[], bool] = lambda: False,
) -> Iterator[Path]:
    """A folder for files that are the entry in `folder` after the block, whole or not at all.

    There must be no entry yet. If a process whose lock is not seen here has made one meanwhile, it
    is replaced, unless `others_stay` says that it stays.
    """
    unfinished = unfinished_name(folder, this_process())
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        seal(unfinished, stage, timing, inputs)
        if not put_in_place(unfinished, folder):
            if others_stay():
                remove_tree(unfinished)
                return
            remove_entry(folder)
            unfinished.replace(folder)
        sync_folder(folder.parent)
    except BaseException:
        remove_tree(unfinished)
        raise


def seal(folder: Path, stage: Stage, timing: StageTiming, inputs: Sequence[StageTiming]) -> None:
    """Turn the files in `folder` into an entry: sync them, then write their record."""
    names = sorted(files_below(folder))
    for path in names:
        sync_file(path)
    files = {
        path.relative_to(folder).as_posix(): (path.stat().st_size, file_digest(path))
        for path in names
    }
    write_record(Entry(folder, timing, tuple(inputs), stage.arguments, time.time(), files))
    for inner in {path.parent for path in names} | {folder}:
        sync_folder(inner)


def write_record(entry: Entry) -> None:
    """Write an entry's record, replacing an earlier one."""
    record = {
        "format": FORMAT,
        "cost": asdict(entry.timing),
        "inputs": [asdict(timing) for timing in entry.inputs],
        "arguments": plain(entry.arguments),
        "created": entry.created,
        "files": {name: [size, value] for name, (size, value) in entry.files.items()},
    }
    write_atomic(entry.folder / RECORD, _serialize(record))


def _check_record(record: Mapping[str, Any], data: bytes, folder: Path) -> None:
    if record["format"] != FORMAT or _serialize(record) != data:
        raise ValueError("it is of another format, or its sum differs")
    if (record["cost"]["stage"], record["cost"]["key"]) != (folder.parent.name, folder.name):
        raise ValueError("it is the record of another result")
    for name, (size, value) in record["files"].items():
        if not (is_inner_name(name) and type(size) is int and type(value) is str and size >= 0):
            raise ValueError("it names a file that cannot be of its entry")


def _serialize(record: Mapping[str, Any]) -> bytes:
    """The content of a record's file, with a digest of the record itself."""
    fields = {key: value for key, value in record.items() if key != "sum"}
    record = fields | {"sum": digest(fields)}
    return (json.dumps(record, indent=1, sort_keys=True) + "\n").encode()
