"""A cache of small values in a JSON file, shared between runs and processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from mmclf.storage.store.atomic_write import write_atomic
from mmclf.storage.store.hashing import digest

# A lock that a machine which is gone still holds on a file system of a network is not waited for
# any longer: what is written is whole in any case.
LOCK_S = 120.0


class JsonCache:
    """Values by key in one file; a damaged file counts as empty."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, key: str) -> Any | None:
        """The value under `key`, or None."""
        return self._read().get(key)

    def all(self) -> dict[str, Any]:
        """All cached values by key."""
        return self._read()

    def add(self, facts: Mapping[str, Any]) -> None:
        """Add values; nothing is written if the cache holds all of them already."""
        if facts.items() <= self._read().items():
            return
        # The disk may be full or read-only: the values are then computed again next time.
        with suppress(OSError), self._lock():
            self._write({**self._read(), **facts})

    def get_or_compute(self, key: str, compute: Callable[[], Any]) -> Any:
        """The cached value of `key`; if there is none, it is computed, by only one process."""
        facts = self._read()
        if key in facts:
            return facts[key]
        try:
            lock = self._lock()
            lock.acquire()
        except OSError:  # as in `add`
            return compute()
        try:
            facts = self._read()
            if key not in facts:
                facts[key] = compute()
                self._write(facts)
            return facts[key]
        finally:
            lock.release()

    def _lock(self) -> FileLock:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{self._file}.lock", timeout=LOCK_S)

    def _write(self, facts: Mapping[str, Any]) -> None:
        # What a full disk has no room for is computed again next time.
        with suppress(OSError):
            write_atomic(self._file, serialized(facts))

    def _read(self) -> dict[str, Any]:
        try:
            return parsed(self._file.read_bytes())
        except OSError:
            return {}


def serialized(facts: Mapping[str, Any]) -> bytes:
    """The content of a file with these facts."""
    record = {"facts": facts, "check": digest(facts)}
    return json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False).encode()


def parsed(data: bytes) -> dict[str, Any]:
    """The facts in the content of a file; none if it is damaged."""
    try:
        record = json.loads(data)
        facts, check = record["facts"], record["check"]
        is_whole = isinstance(facts, dict) and check == digest(facts)
    except (ValueError, LookupError, TypeError, RecursionError):
        return {}
    return facts if is_whole else {}
