"""Digests of files, cached so that unchanged files are not read again."""

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

from mmclf.storage.store.atomic_write import write_atomic
from mmclf.storage.store.hashing import texts_digest

BLOCK = 2**26  # bytes that one thread hashes at a time
# A second change this soon after a first can leave size and time alike ("racy" in git's terms).
RACY_NS = 2_000_000_000

Stamp = tuple[int, int]  # size in bytes, time of change in ns


def file_digest(path: Path) -> str:
    """The SHA-256 of a file; if longer than `BLOCK`, the SHA-256 of its blocks' SHA-256.

    Blocks are hashed in parallel threads.
    """
    size = path.stat().st_size
    if size <= BLOCK:
        return _block_digest(path, 0).hex()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        starts = range(0, size, BLOCK)
        return hashlib.sha256(
            b"".join(pool.map(lambda s: _block_digest(path, s), starts))
        ).hexdigest()


def _block_digest(path: Path, start: int) -> bytes:
    hasher = hashlib.sha256()
    left = BLOCK
    with path.open("rb") as stream:
        stream.seek(start)
        while left > 0 and (data := stream.read(min(left, 2**20))):
            hasher.update(data)
            left -= len(data)
    return hasher.digest()


@dataclass(frozen=True)
class FileRecord:
    """A cached list of files, with the stamp and the digest of each."""

    paths: list[str]
    stamps: list[Stamp | None]
    digests: list[str | None]


class FileHasher:
    """Digests of files, cached in `folder` by path, size and time of change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def digests(self, paths: Sequence[Path]) -> list[str | None]:
        """The digest of each file, None for one that is missing or cannot be read.

        A list of files is cached as a whole; only those that changed are read again.
        """
        prefix = f"{Path.cwd()}{os.sep}"
        names = [str(path) if path.is_absolute() else f"{prefix}{path}" for path in paths]
        cache_file = self._folder / f"{texts_digest(names)}.json"
        cached = _read(cache_file)
        stamps = [_stamp(name) for name in names]
        digests: list[str | None] = [None] * len(names)
        changed = []
        for i, stamp in enumerate(stamps):
            if cached is not None and stamp is not None and cached.stamps[i] == stamp:
                digests[i] = cached.digests[i]
            if stamp is not None and digests[i] is None:
                changed.append(i)
        if changed:
            started_ns = time.time_ns()
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                results = pool.map(lambda i: _digest_or_none(names[i]), changed)
                for i, digest in zip(changed, results, strict=True):
                    digests[i] = digest
            steady = [s if s is not None and s[1] < started_ns - RACY_NS else None for s in stamps]
            with suppress(OSError):  # of a full disk: they are then hashed again next time
                _write(cache_file, FileRecord(names, steady, digests))
        return digests

    def differing(self) -> Iterator[str]:
        """The files whose content differs from the cached digest at equal size and time."""
        for cache_file in sorted(self._folder.glob("*.json")):
            record = _read(cache_file)
            if record is None:
                continue
            for name, stamp, digest in zip(
                record.paths, record.stamps, record.digests, strict=True
            ):
                unchanged = stamp is not None and digest is not None and _stamp(name) == stamp
                if unchanged and _digest_or_none(name) != digest:
                    yield name

    def forget(self, name: str) -> None:
        """Drop the cached lists that hold the file `name`, so that it is read again."""
        for cache_file in self._folder.glob("*.json"):
            record = _read(cache_file)
            if record is None or name in record.paths:
                cache_file.unlink(missing_ok=True)


def _stamp(name: str) -> Stamp | None:
    try:
        status = os.stat(name)  # noqa: PTH116, a Path for each of 40,000 files takes longer
    except (OSError, ValueError):
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def _digest_or_none(name: str) -> str | None:
    try:
        return file_digest(Path(name))
    except OSError:
        return None


def _read(path: Path) -> FileRecord | None:
    try:
        data = json.loads(path.read_bytes())
        stamps = [(int(s[0]), int(s[1])) if s is not None else None for s in data["stamps"]]
        record = FileRecord(data["paths"], stamps, data["sums"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    same = len(record.paths) == len(record.stamps) == len(record.digests)
    return record if same and data.get("check") == _check(record) else None


def _write(path: Path, record: FileRecord) -> None:
    data = {
        "paths": record.paths,
        "stamps": record.stamps,
        "sums": record.digests,
        "check": _check(record),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(data).encode())


def _check(record: FileRecord) -> str:
    """A digest of the record, to detect damage of its file."""
    return texts_digest([*record.paths, *map(repr, record.stamps), *map(repr, record.digests)])
