"""Where an image of a data source lies: inside the source's folder, and nowhere else."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from mmclf.data.problems import LISTED, shown
from mmclf.errors import InputError

MOST_BYTES = 255  # of a file's name, on every common file system

_DRIVE = re.compile(r"[A-Za-z]:")
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no file can be opened by


def image_path(folder: Path, name: str) -> Path:
    """The image called `name` inside `folder`; raises InputError for a name that leads outside."""
    return image_paths(folder, (name,))[0]


def image_paths(
    folder: Path, names: Sequence[str], places: Sequence[str] | None = None
) -> tuple[Path, ...]:
    """The images called `names` inside `folder`, which may be a link itself; they need not exist.

    `places`: where each name stands, for messages. Raises InputError that counts and lists the
    names that are empty, absolute, lead upwards, are spelt as on Windows, or that a symbolic link
    leads outside the folder.
    """
    refused = {row: why for row, name in enumerate(names) if (why := _misspelt(name)) is not None}
    refused |= _led_outside(folder, {r: name for r, name in enumerate(names) if r not in refused})
    if refused:
        problems = [
            f"{f'{places[row]}: ' if places is not None else ''}the image {shown(names[row])} "
            f"{refused[row]}: expected a path inside {folder}, as 17.jpg or a/17.jpg; correct it"
            for row in sorted(refused)[:LISTED]
        ]
        more = len(refused) - LISTED
        raise InputError(
            *problems, *([f"{more} more images are not inside {folder} either"] if more > 0 else [])
        )
    return tuple(folder / name for name in names)


def _misspelt(name: str) -> str | None:
    """What is wrong with the name by its spelling alone, or None."""
    pieces = name.split("/")
    longest = max(len(piece.encode(errors="surrogatepass")) for piece in pieces)
    faults = (
        (not name, "has an empty name"),
        ("\\" in name or _DRIVE.match(name) is not None, "is spelt as on Windows"),
        (not pieces[0], "is an absolute path"),
        (".." in pieces, "leads upwards"),
        (pieces[-1] in ("", "."), "is a folder's name"),
        ("\0" in name, "holds a NUL byte"),
        (_SURROGATE.search(name) is not None, "is no proper text"),
        (longest > MOST_BYTES, f"has a name of more than {MOST_BYTES} bytes"),
    )
    return next((fault for found, fault in faults if found), None)


def _led_outside(folder: Path, names: dict[int, str]) -> dict[int, str]:
    """The rows whose names a symbolic link leads outside, with what is wrong with them."""
    root = os.path.realpath(folder)
    by_parent: defaultdict[str, list[int]] = defaultdict(list)
    for row, name in names.items():
        by_parent[name.rpartition("/")[0]].append(row)
    outside: list[int] = []
    for parent, rows in by_parent.items():
        real = os.path.realpath(Path(root, parent))
        if not _inside(real, root):
            outside += rows
        # To follow every name takes long; most folders hold no link at all.
        elif _holds_links(real):
            outside += [
                row for row in rows if not _inside(os.path.realpath(Path(root, names[row])), root)
            ]
    return dict.fromkeys(outside, "is a symbolic link, or lies behind one, that leads outside")


def _inside(real: str, root: str) -> bool:
    return real.startswith(root.rstrip(os.sep) + os.sep) or real == root


def _holds_links(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.is_symlink() for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # a folder that may be entered and not listed
        return True
