"""Entries: a stored result as a folder of files, with a record of what it is and what it cost.

The record `entry.json` names every file with its size and sum, and carries a sum of itself.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmclf.storage.store.atomic_write import sync_file, sync_folder, write_whole
from mmclf.storage.store.file_hasher import file_sum
from mmclf.storage.store.hashing import digest, plain

FORMAT = 1
RECORD = "entry.json"


class DamagedError(Exception):
    """A stored result is not what was stored."""


class OutdatedError(DamagedError):
    """A stored result is whole, but no longer what its stage would give."""


@dataclass(frozen=True)
class Stage:
    """A result to be had: the name and version of its stage, and all that decides it.

    `arguments` are plain, large ones given by their digests. Raise `version` when a stage computes
    something else of the same arguments.
    """

    name: str
    version: int
    arguments: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """The same for the same arguments, whatever the process."""
        return digest([self.name, self.version, self.arguments])


@dataclass(frozen=True)
class StageTiming:
    """What a result cost: `seconds` for `count` samples, views or the like, on a hardware.

    `run`: in which run; None before it has an id.
    """

    stage: str
    key: str
    seconds: float
    count: int
    hardware: str
    run: str | None


@dataclass(frozen=True)
class Entry:
    """A stored result; `inputs` are the costs of what it was made from, down to the samples."""

    folder: Path
    timing: StageTiming
    inputs: tuple[StageTiming, ...]
    arguments: Mapping[str, Any]
    created: float
    files: Mapping[str, tuple[int, str]]

    def path(self, name: str) -> Path:
        """Where the file `name` lies; raises DamagedError unless it is as it was stored."""
        path = self.folder / name
        if name not in self.files:
            raise DamagedError(f"{path} is not of this entry")
        size, expected = self.files[name]
        try:
            if path.stat().st_size != size or file_sum(path) != expected:
                raise DamagedError(f"{path} has changed since it was stored")
        except OSError as error:
            raise DamagedError(f"{path} cannot be read ({error.strerror})") from error
        return path

    def read(self, name: str) -> bytes:
        """The content of the file `name`; raises DamagedError unless it is as it was stored."""
        return self.path(name).read_bytes()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for size, _ in self.files.values())


def open_entry(folder: Path) -> Entry:
    """The entry in `folder`, its record checked, its other files not read.

    Raises FileNotFoundError if there is none, DamagedError if the record is not whole.
    """
    data = (folder / RECORD).read_bytes()
    try:
        told = json.loads(data)
        _check_record(told, data, folder)
        return Entry(
            folder=folder,
            timing=StageTiming(**told["cost"]),
            inputs=tuple(StageTiming(**timing) for timing in told["inputs"]),
            arguments=told["arguments"],
            created=told["created"],
            files={name: (size, value) for name, (size, value) in told["files"].items()},
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{folder / RECORD} has changed since it was stored") from error


def seal(folder: Path, stage: Stage, timing: StageTiming, inputs: Sequence[StageTiming]) -> None:
    """Make an entry of the files in `folder`: sync them and write their record last."""
    names = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in names:
        sync_file(path)
    files = {
        path.relative_to(folder).as_posix(): (path.stat().st_size, file_sum(path)) for path in names
    }
    write_record(Entry(folder, timing, tuple(inputs), stage.arguments, time.time(), files))
    for inner in {path.parent for path in names} | {folder}:
        sync_folder(inner)


def write_record(entry: Entry) -> None:
    """Write an entry's record, in place of an earlier one."""
    told = {
        "format": FORMAT,
        "cost": asdict(entry.timing),
        "inputs": [asdict(timing) for timing in entry.inputs],
        "arguments": plain(entry.arguments),
        "created": entry.created,
        "files": {name: [size, value] for name, (size, value) in entry.files.items()},
    }
    write_whole(entry.folder / RECORD, _record(told))


def _check_record(told: Mapping[str, Any], data: bytes, folder: Path) -> None:
    if told["format"] != FORMAT or _record(told) != data:
        raise ValueError("it is of another format, or its sum differs")
    if (told["cost"]["stage"], told["cost"]["key"]) != (folder.parent.name, folder.name):
        raise ValueError("it is the record of another result")


def _record(told: Mapping[str, Any]) -> bytes:
    """The bytes that a record must have, its own sum among them."""
    rest = {key: value for key, value in told.items() if key != "sum"}
    whole = rest | {"sum": digest(rest)}
    return (json.dumps(whole, indent=1, sort_keys=True) + "\n").encode()
