"""The folder that images lie in, found by some of their names."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".avif", ".jp2", ".ppm"),
)
DEPTH = 3  # of the folders that are looked into
FOLDERS = 500  # that are looked into at most
TRIED = 20  # names that are looked for


@dataclass(frozen=True)
class PictureFolder:
    """Where images were found.

    Args:
        root: the folder that was looked into.
        folder: that the names start from, below the root, as `.` or `data/img`.
        suffix: that the names lack, or nothing.
        present: how many of the names that were tried are there.
        tried: how many that was.

    """

    root: Path
    folder: str
    suffix: str
    present: int
    tried: int


def is_picture(name: str) -> bool:
    """Whether a name has the suffix of an image."""
    return name.lower().endswith(SUFFIXES)


def find_pictures(roots: Sequence[Path], names: Sequence[str]) -> PictureFolder:
    """The folder at or below one of the roots that has the most of the first names.

    Of several with as many, that of the first root, nearest to it. Names without an image's suffix
    are tried with each, and half of them must be there. If none is found, the first root.
    """
    tried = list(dict.fromkeys(name for name in names if name and "\0" not in name))[:TRIED]
    best = PictureFolder(roots[0], ".", "", 0, len(tried))
    if all(is_picture(name) for name in tried):
        suffixes, needed = [""], 1
    else:
        suffixes = ["", *(form for lower in SUFFIXES for form in (lower, lower.upper()))]
        # Numbers without a suffix are names of files by chance, too.
        needed = math.ceil(len(tried) / 2)
    for root in roots:
        for folder in _folders(root):
            for suffix in suffixes:
                count = sum(_is_file(folder / f"{name}{suffix}") for name in tried)
                if count >= needed and count > best.present:
                    below = folder.relative_to(root).as_posix()
                    best = PictureFolder(root, below, suffix, count, len(tried))
        if best.present:
            break
    return best


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _folders(root: Path) -> Iterator[Path]:
    """The root and the folders below it, the nearest first; hidden ones apart."""
    level, seen = [root], 0
    for _ in range(DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            if seen == FOLDERS:
                return
            seen += 1
            yield folder
            below += _subfolders(folder)
        level = below


def _subfolders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                Path(entry.path)
                for entry in entries
                if entry.is_dir() and not entry.name.startswith(".")
            )
    except OSError:  # a folder that may not be read
        return []
