"""Atomic writing of files: a file is complete or absent, also after a kill or a power cut."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# No space left, for the user, or for one file by the limit on its size (RLIMIT_FSIZE).
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
OWN_STREAMS = ("/dev/fd/", "/dev/stdout", "/dev/stderr", "/proc/")
# Of this age it belongs to a process that was killed.
ABANDONED_S = 24 * 3600.0
TOKEN_BYTES = 8  # of a name that nobody can foresee


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` to a temporary file beside `path`, sync it, then rename it to `path`.

    What is at `path` is replaced, a link itself and not what it points to.
    """
    with atomic_stream(path) as stream:
        stream.write(data)


@contextmanager
def atomic_stream(path: Path) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file `path` at the end of the block, whole or not at all.

    As `write_atomic`. A pipe or a device at `path` is written to instead, and stays.
    """
    if is_channel(path):
        with path.open("wb") as stream:
            yield stream
        return
    partial, descriptor = _own_file(path)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_name(path.parent)


def is_channel(path: Path) -> bool:
    """Whether what is at `path` is a pipe, a device or the like, which no file can replace."""
    # Also if standard output is redirected to a file: what else writes there goes on doing so.
    if str(path.absolute()).startswith(OWN_STREAMS):
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _own_file(path: Path) -> tuple[Path, int]:
    """A new file beside `path` of a name that nobody can foresee, and its descriptor.

    It has the permissions of a file at `path`, if there is one.
    """
    start = f".{path.name[:32]}."  # cut, as a long name would grow too long
    _remove_abandoned(path.parent, start)
    partial = path.with_name(f"{start}{secrets.token_hex(TOKEN_BYTES)}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with suppress(OSError, AttributeError):  # there is none, or the system knows no fchmod
        before = path.lstat().st_mode
        if stat.S_ISREG(before):
            os.fchmod(descriptor, stat.S_IMODE(before))
    return partial, descriptor


def _remove_abandoned(folder: Path, start: str) -> None:
    """Remove what killed processes left of files whose temporary names begin so."""
    name = re.compile(re.escape(start) + rf"[0-9a-f]{{{2 * TOKEN_BYTES}}}\.part")
    with suppress(OSError), os.scandir(folder) as files:
        for file in files:
            if name.fullmatch(file.name) is not None:
                with suppress(OSError):  # another process has just removed it
                    if time.time() - file.stat(follow_symlinks=False).st_mtime > ABANDONED_S:
                        Path(file).unlink()


def sync_file(path: Path) -> None:
    """Flush a file's content to the disk."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def sync_folder(path: Path) -> None:
    """Flush a folder's list of names to the disk, on systems that can open a folder."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_name(folder: Path) -> None:
    # What is renamed is whole: some network file systems cannot sync a folder.
    with suppress(OSError):
        sync_folder(folder)
