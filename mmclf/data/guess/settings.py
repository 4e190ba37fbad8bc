"""A guess: the level of `data` that reads a file, and settings with the reason for each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MISSING = "???"  # a value that nothing speaks for, and that must be given


@dataclass(frozen=True)
class Setting:
    """A setting of a data source.

    Args:
        key: its name.
        value: what YAML can hold.
        why: for people, what speaks for it.

    """

    key: str
    value: object
    why: str


@dataclass(frozen=True)
class Guess:
    """What reads a file or folder.

    Args:
        source: the level of `data`, as `table`.
        summary: for people, what was looked at.
        root: the folder of all files.
        settings: those that were guessed, `root` apart.

    """

    source: str
    summary: str
    root: Path
    settings: tuple[Setting, ...]
