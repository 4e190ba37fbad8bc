"""Small facts that are remembered from run to run: a JSON file of a value for each key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

from mmclf.store.writing import write_whole


class Memory:
    """The facts in one file; a file that is damaged is as good as none."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def recall(self, key: str) -> Any | None:
        """What is remembered under `key`, or None."""
        return self._read().get(key)

    def remember(self, key: str, find_out: Callable[[], Any]) -> Any:
        """What is remembered under `key`, found out first if need be: by one process of several."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._file}.lock"):
            known = self._read()
            if key not in known:
                known[key] = find_out()
                text = json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False)
                write_whole(self._file, text.encode())
            return known[key]

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return known if isinstance(known, dict) else {}
