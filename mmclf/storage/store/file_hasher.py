"""Checksums of files' contents, remembered so that what has not changed need not be read again."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmclf.storage.store.atomic_write import write_whole
from mmclf.storage.store.hashing import texts_digest

BLOCK = 2**26  # bytes that one thread sums at a time
# Within this time of a change another one could leave size and time as they are, as git knows too.
UNSTEADY_NS = 2_000_000_000

Stamp = tuple[int, int]  # size in bytes, time of change in ns


def file_sum(path: Path) -> str:
    """The SHA-256 of a file; of one longer than `BLOCK` that of its blocks' SHA-256, by threads."""
    size = path.stat().st_size
    if size <= BLOCK:
        return _block_sum(path, 0).hex()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        starts = range(0, size, BLOCK)
        return hashlib.sha256(b"".join(pool.map(lambda s: _block_sum(path, s), starts))).hexdigest()


def _block_sum(path: Path, start: int) -> bytes:
    found = hashlib.sha256()
    left = BLOCK
    with path.open("rb") as stream:
        stream.seek(start)
        while left > 0 and (data := stream.read(min(left, 2**20))):
            found.update(data)
            left -= len(data)
    return found.digest()


@dataclass(frozen=True)
class Remembered:
    """What one file of the memory says of a list of files: a stamp and a sum for each."""

    paths: list[str]
    stamps: list[Stamp | None]
    sums: list[str | None]


class FileHasher:
    """Sums of files by their content, remembered in `folder` by path, size and time of change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def digests(self, paths: Sequence[Path]) -> list[str | None]:
        """The sum of each file, None for one that is missing or cannot be read.

        A list of files is remembered as a whole; of it only what has changed is read again.
        """
        here = f"{Path.cwd()}{os.sep}"
        names = [str(path) if path.is_absolute() else f"{here}{path}" for path in paths]
        memory = self._folder / f"{texts_digest(names)}.json"
        known = _read(memory)
        stamps = [_stamp(name) for name in names]
        sums: list[str | None] = [None] * len(names)
        changed = []
        for i, stamp in enumerate(stamps):
            if known is not None and stamp is not None and known.stamps[i] == stamp:
                sums[i] = known.sums[i]
            if stamp is not None and sums[i] is None:
                changed.append(i)
        if changed:
            started_ns = time.time_ns()
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                found = pool.map(lambda i: _sum_or_none(names[i]), changed)
                for i, value in zip(changed, found, strict=True):
                    sums[i] = value
            steady = [
                s if s is not None and s[1] < started_ns - UNSTEADY_NS else None for s in stamps
            ]
            with suppress(OSError):  # of a full disk: they are then summed again next time
                _write(memory, Remembered(names, steady, sums))
        return sums

    def differing(self) -> Iterator[str]:
        """The files whose content is not as remembered though size and time of change are."""
        for memory in sorted(self._folder.glob("*.json")):
            known = _read(memory)
            if known is None:
                continue
            for name, stamp, value in zip(known.paths, known.stamps, known.sums, strict=True):
                known_well = stamp is not None and value is not None and _stamp(name) == stamp
                if known_well and _sum_or_none(name) != value:
                    yield name

    def forget(self, name: str) -> None:
        """Remember nothing of the lists that hold the file `name`, so that it is read again."""
        for memory in self._folder.glob("*.json"):
            known = _read(memory)
            if known is None or name in known.paths:
                memory.unlink(missing_ok=True)


def _stamp(name: str) -> Stamp | None:
    try:
        found = os.stat(name)  # noqa: PTH116, a Path for each of 40,000 files takes longer
    except (OSError, ValueError):
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _sum_or_none(name: str) -> str | None:
    try:
        return file_sum(Path(name))
    except OSError:
        return None


def _read(memory: Path) -> Remembered | None:
    try:
        told = json.loads(memory.read_bytes())
        stamps = [(int(s[0]), int(s[1])) if s is not None else None for s in told["stamps"]]
        known = Remembered(told["paths"], stamps, told["sums"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    same = len(known.paths) == len(known.stamps) == len(known.sums)
    return known if same and told.get("check") == _check(known) else None


def _write(memory: Path, known: Remembered) -> None:
    told = {
        "paths": known.paths,
        "stamps": known.stamps,
        "sums": known.sums,
        "check": _check(known),
    }
    memory.parent.mkdir(parents=True, exist_ok=True)
    write_whole(memory, json.dumps(told).encode())


def _check(known: Remembered) -> str:
    """A sum over all that is remembered, so that a flipped bit in it is not believed."""
    return texts_digest([*known.paths, *map(repr, known.stamps), *map(repr, known.sums)])
