"""Which components were valid before, so that a run whose results are stored need not import torch.

This is the one concession of the configuration to the time of a command: resolving a target
imports its library, and a warm run takes 3.1 s of CPU instead of 5.1 s without that (medians of
three runs on 2 cores). It spares an import, no check: `targets.build` proves what is built anew.
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


class ValidationCache:
    """The components that are remembered as valid in the `folder` of a store."""

    def __init__(self, folder: Path, allowed_modules: Sequence[str]) -> None:
        self._facts = JsonCache(folder / FILE)
        self._allowed_modules = tuple(allowed_modules)

    def has(self, group: str, node: Mapping[Any, Any]) -> bool:
        """Whether the component was found valid by the same code, mmclf's and the user's own."""
        key = self._key(group, node)
        return key is not None and key in self._remembered

    def add(self, components: Mapping[str, Mapping[Any, Any]]) -> None:
        """Remember valid components, by their groups."""
        keys = (self._key(group, node) for group, node in components.items())
        self._facts.add({key: True for key in keys if key is not None})

    @cached_property
    def _remembered(self) -> Mapping[str, Any]:
        return self._facts.all()

    @cached_property
    def _code(self) -> str:
        """The versions and files of all that has a say in what is valid."""
        package = Path(__file__).resolve().parent.parent
        own = [file for module in self._allowed_modules for file in source_files(module)]
        stamps = [stamp for file in (*package.rglob("*.py"), *own) for stamp in _stamp(file)]
        return digest([platform.python_version(), list(_versions()), sorted(stamps)])

    def _key(self, group: str, node: Mapping[Any, Any]) -> str | None:
        try:
            return digest([group, node, list(self._allowed_modules), self._code])
        except (TypeError, ValueError):  # a value that is no plain one
            return None


def _stamp(file: Path) -> Iterator[str]:
    try:
        status = file.stat()
    except OSError:
        return
    yield f"{file} {status.st_size} {status.st_mtime_ns}"


def _versions() -> Iterator[str]:
    for name in LIBRARIES:
        try:
            yield metadata.version(name)
        except metadata.PackageNotFoundError:
            yield "none"
