"""The paths of a data source's images, which must stay inside the source's folder."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from mmclf.data.problems import LISTED, shown
from mmclf.errors import InputError

MAX_NAME_BYTES = 255  # of a file's name, on every common file system

_DRIVE = re.compile(r"[A-Za-z]:")
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no file name can contain


def image_path(folder: Path, name: str) -> Path:
    """The path of `name` inside `folder`; raises InputError for a name that leads outside."""
    return image_paths(folder, (name,))[0]


def image_paths(
    folder: Path, names: Sequence[str], locations: Sequence[str] | None = None
) -> tuple[Path, ...]:
    """The paths of `names` inside `folder`, whether or not the files exist.

    Raises InputError that lists the names that are empty, absolute, lead upwards, are written as
    on Windows, or lead outside the folder by a symbolic link. `folder` itself may be a link.

    Args:
        folder: that holds the images.
        names: relative paths.
        locations: where each name is written, for error messages.

    """
    invalid = {
        row: reason
        for row, name in enumerate(names)
        if (reason := _spelling_fault(name)) is not None
    }
    invalid |= _outside(folder, {r: name for r, name in enumerate(names) if r not in invalid})
    if invalid:
        problems = [
            f"{f'{locations[row]}: ' if locations is not None else ''}the image "
            f"{shown(names[row])} {invalid[row]}: expected a path inside {folder}, as "
            "17.jpg or a/17.jpg; correct it"
            for row in sorted(invalid)[:LISTED]
        ]
        hidden = len(invalid) - LISTED
        raise InputError(
            *problems,
            *([f"{hidden} more images are not inside {folder} either"] if hidden > 0 else []),
        )
    return tuple(folder / name for name in names)


def _spelling_fault(name: str) -> str | None:
    """What is wrong with the text of a name, or None."""
    parts = name.split("/")
    longest = max(len(piece.encode(errors="surrogatepass")) for piece in parts)
    faults = (
        (not name, "has an empty name"),
        ("\\" in name or _DRIVE.match(name) is not None, "is spelt as on Windows"),
        (not parts[0], "is an absolute path"),
        (".." in parts, "leads upwards"),
        (parts[-1] in ("", "."), "is a folder's name"),
        ("\0" in name, "holds a NUL byte"),
        (_SURROGATE.search(name) is not None, "is no proper text"),
        (longest > MAX_NAME_BYTES, f"has a name of more than {MAX_NAME_BYTES} bytes"),
    )
    return next((fault for applies, fault in faults if applies), None)


def _outside(folder: Path, names: dict[int, str]) -> dict[int, str]:
    """The rows whose names lead outside by a symbolic link, with what is wrong with them."""
    root = os.path.realpath(folder)
    by_parent: defaultdict[str, list[int]] = defaultdict(list)
    for row, name in names.items():
        by_parent[name.rpartition("/")[0]].append(row)
    outside: list[int] = []
    for parent, rows in by_parent.items():
        resolved = os.path.realpath(Path(root, parent))
        if not _is_inside(resolved, root):
            outside += rows
        # Resolving every name takes long, and most folders hold no links.
        elif _has_links(resolved):
            outside += [
                row
                for row in rows
                if not _is_inside(os.path.realpath(Path(root, names[row])), root)
            ]
    return dict.fromkeys(outside, "is a symbolic link, or lies behind one, that leads outside")


def _is_inside(resolved: str, root: str) -> bool:
    return resolved.startswith(root.rstrip(os.sep) + os.sep) or resolved == root


def _has_links(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.is_symlink() for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # a folder that may not be listed
        return True
