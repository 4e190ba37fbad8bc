"""Replaces the files of a folder as a whole: whoever looks sees those before, or those after."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from mmclf.storage.store.atomic_write import ABANDONED_S, TOKEN_BYTES, sync_folder
from mmclf.storage.store.inner_files import remove_tree

NEW, OLD = ".part", ".old"  # ends of the names of the folders that are made and replaced
_EXCHANGE = 2  # RENAME_EXCHANGE of Linux
_AT_WORKING_FOLDER = -100  # AT_FDCWD
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)


def write_folder_atomic(folder: Path, files: Mapping[str, bytes], own: Sequence[str] = ()) -> None:
    """Let a folder have these files, by their relative names, all at once; it is made if need be.

    They are written and synced in a folder beside it, and the two exchange their names. What else
    was there stays, but for `own`: patterns of names that are left out unless they are in `files`,
    and links in the way of a file. A folder that is a link is replaced, and not followed.

    Where the system or the disk cannot exchange names, the earlier folder is renamed first: of a
    process that is killed just then it is found beside, and put back by the next one.

    Raises OSError, with the folder as it was, if anything cannot be written.
    """
    _tidy(folder)
    if not folder.is_symlink() and folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "there is a file in its place", str(folder))
    new = folder.with_name(f"{_start(folder)}{secrets.token_hex(TOKEN_BYTES)}{NEW}")
    new.mkdir(parents=True)
    try:
        for name, data in files.items():
            _write(new / name, data, folder / name)
        if not folder.is_symlink() and folder.is_dir():
            _keep(folder, new, own)
            new.chmod(stat.S_IMODE(folder.stat().st_mode))
        for each in (new, *(path for path in new.rglob("*") if path.is_dir())):
            _sync(each)
        _swap(new, folder)
        if not new.is_symlink() and new.is_dir():
            _keep(new, folder, own)  # what somebody has put there meanwhile
    finally:
        remove_tree(new)  # or what was exchanged for it
    _sync(folder.parent)


def _write(path: Path, data: bytes, before: Path) -> None:
    """Write a new file, with the permissions of the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:
        with suppress(OSError):  # there was none
            mode = before.lstat().st_mode
            path.chmod(stat.S_IMODE(mode)) if stat.S_ISREG(mode) else None
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _keep(old: Path, new: Path, own: Sequence[str], below: str = "") -> None:
    """Let `new` have what else is in `old`: the files themselves, under a second name."""
    for entry in os.scandir(old / below):
        name = f"{below}{entry.name}"
        target = new / name
        if entry.is_dir(follow_symlinks=False) and not target.is_file():
            target.mkdir(exist_ok=True)
            _keep(old, new, own, f"{name}/")
        elif not os.path.lexists(target) and not _is_own(name, own):
            _link(Path(entry), target)


def _is_own(name: str, own: Sequence[str]) -> bool:
    return any(
        fnmatchcase(name, pattern) and name.count("/") == pattern.count("/") for pattern in own
    )


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source) if not source.is_symlink() else _copy(source, target)
    except OSError as error:
        if error.errno not in (*_CANNOT, errno.EMLINK, errno.EXDEV):
            raise
        _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    shutil.copy2(source, target, follow_symlinks=False)


def _swap(new: Path, folder: Path) -> None:
    """Rename `new` to `folder`; what was there is at `new` then."""
    if not os.path.lexists(folder):
        new.rename(folder)
    elif not exchange(new, folder):
        aside = new.with_suffix(OLD)
        folder.rename(aside)
        try:
            new.rename(folder)
        except BaseException:
            aside.rename(folder)
            raise
        aside.rename(new)


def exchange(first: Path, second: Path) -> bool:
    """Let two paths change names in one step; False where the system or the disk cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    names = (os.fsencode(first), os.fsencode(second))
    here = _AT_WORKING_FOLDER
    if rename(here, names[0], here, names[1], _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(second))


def _start(folder: Path) -> str:
    return f".{folder.name[:32]}."  # cut, as a long name would grow too long


def _tidy(folder: Path) -> None:
    """Put back what a killed process had set aside, and remove what it left, after a day."""
    name = re.compile(rf"{re.escape(_start(folder))}[0-9a-f]{{{2 * TOKEN_BYTES}}}({NEW}|{OLD})")
    with suppress(OSError):
        for path in sorted(folder.parent.iterdir()):
            match = name.fullmatch(path.name)
            if match is None:
                continue
            if match[1] == OLD and not os.path.lexists(folder):
                path.rename(folder)
            elif time.time() - path.lstat().st_mtime > ABANDONED_S:
                remove_tree(path)


def _sync(folder: Path) -> None:
    # What is renamed is whole: some network file systems cannot sync a folder.
    with suppress(OSError):
        sync_folder(folder)
