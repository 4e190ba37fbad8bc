"""Maintenance of a store: listing, verifying and pruning its entries."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mmclf.storage.store.atomic_write import ABANDONED_S
from mmclf.storage.store.entry import RECORD, DamagedError, Entry, open_entry
from mmclf.storage.store.file_hasher import FileHasher
from mmclf.storage.store.inner_files import files_below, remove_entry, remove_tree
from mmclf.storage.store.remote import FETCHED

KEY_LENGTH = 40


@dataclass(frozen=True)
class StoredEntry:
    """An entry as it is stored.

    Args:
        folder: of its files.
        entry: None if its record is damaged.
        size: bytes on the disk.
        used: time of its last use, in seconds since the epoch; 0 if damaged.

    """

    folder: Path
    entry: Entry | None
    size: int
    used: float

    @property
    def is_fetched(self) -> bool:
        """Whether it came from a remote store."""
        return (self.folder / FETCHED).is_file()

    @property
    def stage(self) -> str:
        """The name of the entry's stage."""
        return self.folder.parent.name


def stored_entries(store: Path) -> list[StoredEntry]:
    """The entries of a store, ordered by stage, the most recently used first."""
    folders = [path for path in store.glob(f"*/{'?' * KEY_LENGTH}") if _is_inside(path)]
    entries = [_stored_entry(folder) for folder in sorted(folders)]
    return sorted(entries, key=lambda entry: (entry.stage, -entry.used))


def _is_inside(path: Path) -> bool:
    """Whether the folder of a stage is one of the store's own, and no link to another."""
    return not path.parent.is_symlink()


def _stored_entry(folder: Path) -> StoredEntry:
    try:
        entry: Entry | None = open_entry(folder)
        used = (folder / RECORD).stat().st_mtime
    except (OSError, DamagedError):
        entry, used = None, 0.0
    return StoredEntry(folder, entry, _size(folder), used)


def _size(folder: Path) -> int:
    sizes = []
    for path in files_below(folder):
        with suppress(OSError):  # it has just been removed
            sizes.append(path.lstat().st_size)
    return sum(sizes)


def damaged(store: Path) -> Iterator[tuple[StoredEntry, str]]:
    """The damaged entries, each with the reason; reads every file."""
    for stored in stored_entries(store):
        if stored.entry is None:
            yield stored, f"{stored.folder / RECORD} has changed since it was stored"
            continue
        for name in stored.entry.files:
            try:
                stored.entry.path(name)
            except DamagedError as error:
                yield stored, str(error)
                break


def changed_files(store: Path) -> list[str]:
    """The images and weights whose content changed at equal size and time of change."""
    hasher = FileHasher(store / "sums")
    changed = sorted(set(hasher.differing()))
    for name in changed:
        hasher.forget(name)
    return changed


def prune(store: Path, *, older_than_s: float | None, max_size: int | None) -> list[StoredEntry]:
    """Remove entries that have not been used for a while, then the least recently used ones.

    Entries whose lock a process holds are left.

    Args:
        store: the folder of the store.
        older_than_s: seconds without use after which an entry is removed; None for no limit.
        max_size: bytes that may be left; None for no limit.

    Returns:
        The entries that were removed.

    """
    now, entries = time.time(), sorted(stored_entries(store), key=lambda entry: entry.used)
    selected = [
        entry for entry in entries if older_than_s is not None and now - entry.used > older_than_s
    ]
    total = sum(entry.size for entry in entries) - sum(entry.size for entry in selected)
    for entry in entries:
        if max_size is None or total <= max_size:
            break
        if entry not in selected:
            selected.append(entry)
            total -= entry.size
    removed = [entry for entry in selected if remove(entry.folder)]
    _remove_abandoned(store, now)
    return removed


def remove(folder: Path) -> bool:
    """Remove an entry and its lock, unless a process holds it; returns whether it is gone."""
    lock = FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    try:
        remove_entry(folder)
        Path(f"{folder}.lock").unlink(missing_ok=True)
    finally:
        lock.release()
    return not os.path.lexists(folder)


def _remove_abandoned(store: Path, now: float) -> None:
    """Remove what killed processes left: unfinished folders, and files of who made them."""
    leftovers: Sequence[Path] = [
        *(path for path in store.glob("*/*.part") if _is_inside(path)),
        *(path for path in store.glob("*/*.owner") if _is_inside(path)),
        *store.glob("off-*"),
        *store.glob("scratch-*"),
    ]
    for folder in leftovers:
        try:
            is_old = now - folder.lstat().st_mtime > ABANDONED_S
        except OSError:
            continue
        if is_old:
            remove_tree(folder)
