"""Small facts that are remembered from run to run: a JSON file of a value for each key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from mmclf.storage.store.atomic_write import write_whole
from mmclf.storage.store.hashing import digest


class JsonCache:
    """The facts in one file; a file that is damaged is as good as none."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, key: str) -> Any | None:
        """The value under `key`, or None."""
        return self._read().get(key)

    def all(self) -> dict[str, Any]:
        """All that is remembered."""
        return self._read()

    def add(self, facts: Mapping[str, Any]) -> None:
        """Remember further facts; nothing is written if all are known."""
        if facts.items() <= self._read().items():
            return
        # Of a store that is full, or may only be read: they are then found out again next time.
        with suppress(OSError), self._locked():
            self._write({**self._read(), **facts})

    def get_or_compute(self, key: str, find_out: Callable[[], Any]) -> Any:
        """What is remembered under `key`, found out first if need be: by one process of several."""
        known = self._read()
        if key in known:
            return known[key]
        try:
            lock = self._locked()
            lock.acquire()
        except OSError:  # as in `add`
            return find_out()
        try:
            known = self._read()
            if key not in known:
                known[key] = find_out()
                self._write(known)
            return known[key]
        finally:
            lock.release()

    def _locked(self) -> FileLock:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{self._file}.lock")

    def _write(self, known: Mapping[str, Any]) -> None:
        told = {"facts": known, "check": digest(known)}
        text = json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False)
        # What a full disk has no room for is found out again another time.
        with suppress(OSError):
            write_whole(self._file, text.encode())

    def _read(self) -> dict[str, Any]:
        try:
            told = json.loads(self._file.read_bytes())
            known, check = told["facts"], told["check"]
            is_whole = isinstance(known, dict) and check == digest(known)
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return {}
        return known if is_whole else {}
