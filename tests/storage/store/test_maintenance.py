"""What the store's maintenance finds, removes, and leaves alone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from filelock import FileLock

from mmclf.storage.store.atomic_write import ABANDONED_S
from mmclf.storage.store.entry import RECORD, Entry, Stage
from mmclf.storage.store.maintenance import (
    changed_files,
    damaged,
    prune,
    remove,
    stored_entries,
)
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

DAY = 86400.0


class Text:
    """A text in a file."""

    def write(self, value: str, folder: Path) -> None:
        (folder / "value").write_text(value)

    def read(self, entry: Entry) -> str:
        return entry.read("value").decode()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three entries, `fit` 0 of 10 bytes, 1 of 100 and 2 of 1,000; the last used first."""
    made = Store(tmp_path / "store", "2 x CPU")
    for number in range(3):
        put(made, number, 10 ** (number + 1), days_ago=float(number))
    return made


def stage(number: int) -> Stage:
    return Stage("fit", 1, {"seed": number})


def folder_of(store: Store, number: int) -> Path:
    return store.folder / "fit" / stage(number).key


def put(store: Store, number: int, size: int, *, days_ago: float) -> None:
    store.get_or_compute(stage(number), Text(), lambda: Computed("x" * size, 1.0, 1))
    used = time.time() - days_ago * DAY
    os.utime(folder_of(store, number) / RECORD, (used, used))


def left(store: Store) -> set[int]:
    return {number for number in range(3) if store.entry(stage(number)) is not None}


def test_entries_are_listed_the_last_used_first(store: Store) -> None:
    entries = stored_entries(store.folder)
    assert [entry.folder for entry in entries] == [folder_of(store, n) for n in range(3)]
    assert [entry.stage for entry in entries] == ["fit"] * 3
    for number, entry in enumerate(entries):
        assert 10 ** (number + 1) < entry.size < 10 ** (number + 1) + 2000  # with its record


@pytest.mark.parametrize(("days", "expected"), [(0.5, {0}), (1.5, {0, 1}), (2.5, {0, 1, 2})])
def test_what_was_not_used_for_so_long_is_removed(
    store: Store, days: float, expected: set[int]
) -> None:
    removed = prune(store.folder, older_than_s=days * DAY, max_size=None)
    assert left(store) == expected
    assert {entry.folder for entry in removed} == {
        folder_of(store, number) for number in {0, 1, 2} - expected
    }
    for number in {0, 1, 2} - expected:
        assert not folder_of(store, number).exists()
        assert not Path(f"{folder_of(store, number)}.lock").exists()


@pytest.mark.parametrize(("spare", "expected"), [(0, {0, 1, 2}), (1, {0, 1})])
def test_beyond_a_size_the_longest_unused_goes_first(
    store: Store, spare: int, expected: set[int]
) -> None:
    total = sum(entry.size for entry in stored_entries(store.folder))
    prune(store.folder, older_than_s=None, max_size=total - spare)
    assert left(store) == expected


def test_a_size_of_nothing_removes_all(store: Store) -> None:
    assert len(prune(store.folder, older_than_s=None, max_size=0)) == 3
    assert left(store) == set()


def test_what_a_process_holds_is_left(store: Store) -> None:
    with FileLock(f"{folder_of(store, 2)}.lock"):
        removed = prune(store.folder, older_than_s=0.5 * DAY, max_size=None)
        assert not remove(folder_of(store, 2))
    assert [entry.folder for entry in removed] == [folder_of(store, 1)]
    assert left(store) == {0, 2}


@pytest.mark.parametrize("name", ["fit/a.part", "off-abc", "scratch-abc"])
@pytest.mark.parametrize("is_old", [False, True])
def test_what_killed_processes_left_goes_when_it_is_old(
    store: Store, name: str, is_old: bool
) -> None:
    unfinished = store.folder / name
    unfinished.mkdir()
    (unfinished / "part").touch()
    changed = time.time() - (ABANDONED_S + 60 if is_old else 0)
    os.utime(unfinished, (changed, changed))
    prune(store.folder, older_than_s=None, max_size=None)
    assert unfinished.exists() != is_old
    assert left(store) == {0, 1, 2}


@pytest.mark.parametrize("name", ["value", RECORD])
def test_damage_is_found_in_every_file(store: Store, name: str) -> None:
    assert list(damaged(store.folder)) == []
    path = folder_of(store, 1) / name
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    ((entry, why),) = damaged(store.folder)
    assert entry.folder == folder_of(store, 1)
    assert str(path) in why


def test_a_file_that_changed_unnoticed_is_named_and_forgotten(store: Store, tmp_path: Path) -> None:
    image = tmp_path / "a.jpg"
    image.write_bytes(b"before")
    os.utime(image, (1, 1))
    (before,) = store.hasher.digests([image])
    assert changed_files(store.folder) == []
    image.write_bytes(b"afters")
    os.utime(image, (1, 1))  # same size, same time of change
    assert store.hasher.digests([image]) == [before]
    assert changed_files(store.folder) == [str(image)]
    assert store.hasher.digests([image]) != [before]
