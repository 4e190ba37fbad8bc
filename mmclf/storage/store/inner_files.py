"""Files inside a folder of someone else's: no name and no link leads out of it."""

from __future__ import annotations

import errno
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mmclf.storage.store.hashing import texts_digest

# What renaming a folder to one that is there raises.
OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.ENOTDIR)
_DRIVE = re.compile(r"[A-Za-z]:")


def is_inner_name(name: object) -> bool:
    """Whether `name` is a relative path as `model/head.bin`, which stays in its folder.

    Absolute paths, `..`, `.`, empty parts, NUL, and what Windows would take for one of these, do
    not.
    """
    if not isinstance(name, str) or "\0" in name or "\\" in name or _DRIVE.match(name):
        return False
    return all(part not in ("", ".", "..") for part in name.split("/"))


def inner_file(folder: Path, name: str) -> Path:
    """The path of the file `name` in `folder`, neither of them a link, nor what is between them.

    Raises ValueError, with the reason, for a name that is not inner, for a link, a pipe, a folder;
    OSError if there is no such file.
    """
    if not is_inner_name(name):
        raise ValueError("its name leads out of its folder")
    path = folder
    for part in ("", *name.split("/")):
        path = path / part
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise ValueError("it is a symbolic link, or lies behind one")
    if not stat.S_ISREG(mode):
        raise ValueError("it is a folder, or another thing that is no file")
    return path


def remove_tree(path: Path) -> None:
    """Remove a folder, a file or a link itself, whatever it points to, as far as that is possible.

    What a link in it points to stays.
    """
    try:
        mode = path.lstat().st_mode
        if not stat.S_ISDIR(mode):
            path.unlink()
            return
    except OSError:
        return
    shutil.rmtree(path, ignore_errors=True)


def unfinished_name(entry: Path, owner: str) -> Path:
    """Where an entry lies that is not whole yet, or not any more; no other call gives the name.

    It shows who makes it (`owner`) to whoever knows the owner, so that `unfinished_of` finds it.
    """
    return entry.with_name(f"{entry.name}.{_short(owner)}-{secrets.token_hex(4)}.part")


def unfinished_of(entry: Path, owner: str) -> Iterator[Path]:
    """What an owner has left of an entry."""
    return entry.parent.glob(f"{entry.name}.{_short(owner)}-*.part")


def remove_unfinished(entry: Path) -> None:
    """Remove whatever anybody has left of an entry that is not whole."""
    for path in (entry.with_name(f"{entry.name}.part"), *entry.parent.glob(f"{entry.name}.*.part")):
        remove_tree(path)


def _short(owner: str) -> str:
    return texts_digest([owner])[:12]


def put_in_place(unfinished: Path, entry: Path) -> bool:
    """Give a whole folder its name, unless there is one of that name already."""
    try:
        unfinished.replace(entry)
    except OSError as error:
        if error.errno in OCCUPIED:
            return False
        raise
    return True


def remove_entry(entry: Path) -> None:
    """Remove a folder at once: a process that is killed meanwhile leaves no half of it."""
    going = unfinished_name(entry, "")
    with suppress(OSError):  # there is none
        entry.replace(going)
    remove_tree(going)
    remove_tree(entry)  # what cannot be renamed


def files_below(folder: Path) -> Iterator[Path]:
    """The regular files in a folder at any depth; links are not followed."""
    for path in folder.rglob("*"):
        try:
            is_file = stat.S_ISREG(path.lstat().st_mode)
        except OSError:
            continue  # it has just been removed
        if is_file:
            yield path
