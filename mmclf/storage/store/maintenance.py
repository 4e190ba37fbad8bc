"""The upkeep of a store: what is in it, what has changed since it was stored, and making space."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mmclf.storage.store.entry import RECORD, DamagedError, Entry, open_entry
from mmclf.storage.store.file_hasher import FileHasher

KEY_LENGTH = 40
# A folder that is this old and unfinished belongs to no process that is still at work on it.
ABANDONED_S = 24 * 3600.0


@dataclass(frozen=True)
class Kept:
    """An entry of a stage, None if its record is damaged; bytes, and when it was last used."""

    folder: Path
    entry: Entry | None
    size: int
    used: float

    @property
    def stage(self) -> str:
        """The name of its stage."""
        return self.folder.parent.name


def kept(store: Path) -> list[Kept]:
    """The entries of a store, by stage, the latest used first."""
    found = [_kept(folder) for folder in sorted(store.glob(f"*/{'?' * KEY_LENGTH}"))]
    return sorted(found, key=lambda one: (one.stage, -one.used))


def _kept(folder: Path) -> Kept:
    try:
        entry: Entry | None = open_entry(folder)
        used = (folder / RECORD).stat().st_mtime
    except (OSError, DamagedError):
        entry, used = None, 0.0
    return Kept(folder, entry, _size(folder), used)


def _size(folder: Path) -> int:
    sizes = []
    for path in folder.rglob("*"):
        try:
            sizes.append(path.stat().st_size if path.is_file() else 0)
        except OSError:
            continue  # it has just been removed
    return sum(sizes)


def damaged(store: Path) -> Iterator[tuple[Kept, str]]:
    """The entries that are not as they were stored, and why; every file is read."""
    for one in kept(store):
        if one.entry is None:
            yield one, f"{one.folder / RECORD} has changed since it was stored"
            continue
        for name in one.entry.files:
            try:
                one.entry.path(name)
            except DamagedError as error:
                yield one, str(error)
                break


def changed_files(store: Path) -> list[str]:
    """The images and weights whose content is not as remembered, though size and time are."""
    sums = FileHasher(store / "sums")
    found = sorted(set(sums.differing()))
    for name in found:
        sums.forget(name)
    return found


def prune(store: Path, *, older_than_s: float | None, largest: int | None) -> list[Kept]:
    """Remove entries that were not used for so long, then the longest unused beyond a size.

    Entries that a process is making or reading under its lock are left; returns those removed.
    """
    now, entries = time.time(), sorted(kept(store), key=lambda one: one.used)
    doomed = [one for one in entries if older_than_s is not None and now - one.used > older_than_s]
    total = sum(one.size for one in entries) - sum(one.size for one in doomed)
    for one in entries:
        if largest is None or total <= largest:
            break
        if one not in doomed:
            doomed.append(one)
            total -= one.size
    removed = [one for one in doomed if remove(one.folder)]
    _clear_abandoned(store, now)
    return removed


def remove(folder: Path) -> bool:
    """Remove an entry and its lock, unless a process holds the lock; whether it is gone."""
    lock = FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    try:
        shutil.rmtree(folder, ignore_errors=True)
        Path(f"{folder}.lock").unlink(missing_ok=True)
    finally:
        lock.release()
    return not folder.exists()


def _clear_abandoned(store: Path, now: float) -> None:
    """Remove what killed processes left unfinished."""
    left: Sequence[Path] = [*store.glob("*/*.part"), *store.glob("off-*"), *store.glob("scratch-*")]
    for folder in left:
        try:
            is_old = now - folder.stat().st_mtime > ABANDONED_S
        except OSError:
            continue
        if is_old:
            shutil.rmtree(folder, ignore_errors=True)
