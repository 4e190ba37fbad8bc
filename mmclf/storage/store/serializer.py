"""How a value of a stage goes to files, and comes back from them."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, TypeVar

from mmclf.storage.store.entry import DamagedError, Entry

T = TypeVar("T")
# What a serializer may raise for files that another version wrote, though their digests match.
UNREADABLE = (
    *(DamagedError, OSError, ValueError, LookupError, TypeError, EOFError),
    *(AttributeError, ArithmeticError, RecursionError, MemoryError),
)


class Serializer(Protocol[T]):
    """Writes the value of a stage to files, and reads it back."""

    def write(self, value: T, folder: Path, /) -> None:
        """Write the value to files in `folder`: NumPy, safetensors, JSON."""

    def read(self, entry: Entry, /) -> T:
        """Read the value from an entry's files; raises DamagedError as `Entry.path` does."""
