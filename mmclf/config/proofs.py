"""Which parts of configs were found right before: their libraries need not be imported again.

A proof spares an import, no check that matters: what is built is proved anew by `targets.build`.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from mmclf.config.user_modules import source_files
from mmclf.storage.store.hashing import digest
from mmclf.storage.store.json_cache import JsonCache

FILE = Path("memory") / "checked.json"
LIBRARIES = ("mmclf", "torch", "timm", "transformers", "pydantic")


class Proofs:
    """The parts that are remembered below a store's `folder`; `granted`: the user's own modules."""

    def __init__(self, folder: Path, granted: Sequence[str]) -> None:
        self._memory = JsonCache(folder / FILE)
        self._granted = tuple(granted)

    def has(self, role: str, node: Mapping[Any, Any]) -> bool:
        """Whether the part was found right, by the same code of everybody's."""
        key = self._key(role, node)
        return key is not None and key in self._known

    def add(self, parts: Mapping[str, Mapping[Any, Any]]) -> None:
        """Remember parts that were found right, by their roles."""
        found = {self._key(role, node): True for role, node in parts.items()}
        self._memory.add({key: value for key, value in found.items() if key is not None})

    @cached_property
    def _known(self) -> Mapping[str, Any]:
        return self._memory.all()

    @cached_property
    def _code(self) -> str:
        """The versions and files of all that has a say in what is right."""
        package = Path(__file__).resolve().parent.parent
        own = [file for module in self._granted for file in source_files(module)]
        stamps = [stamp for file in (*package.rglob("*.py"), *own) for stamp in _stamp(file)]
        return digest([platform.python_version(), list(_versions()), sorted(stamps)])

    def _key(self, role: str, node: Mapping[Any, Any]) -> str | None:
        try:
            return digest([role, node, list(self._granted), self._code])
        except (TypeError, ValueError):  # a value that is no plain one
            return None


def _stamp(file: Path) -> Iterator[str]:
    try:
        found = file.stat()
    except OSError:
        return
    yield f"{file} {found.st_size} {found.st_mtime_ns}"


def _versions() -> Iterator[str]:
    for name in LIBRARIES:
        try:
            yield metadata.version(name)
        except metadata.PackageNotFoundError:
            yield "none"
