"""Locks of results on file systems that share them, and on those that do not."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import pytest
from filelock import FileLock
from stored_values import empty_store, entry_folder, hurry_locks, never, owner

from mmclf.storage.process_identity import this_process
from mmclf.storage.store import stage_lock
from mmclf.storage.store.maintenance import prune
from mmclf.storage.store.stage_lock import OwnerFile, held
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)
hurried = pytest.fixture(autouse=True)(hurry_locks)
ELSEWHERE = "node7/another-boot/17/99/\n0123abcd 0\n"
ENDED = this_process().replace(f"/{os.getpid()}/", "/1/") + "\n0123abcd 0\n"


class Clock:
    """A clock that stands still until it is moved, and counts who looks at it."""

    def __init__(self) -> None:
        self.now, self.looks, self.sleep = 0.0, 0, time.sleep

    def monotonic(self) -> float:
        self.looks += 1
        return self.now

    def wait_for_looks(self, count: int) -> None:
        until, deadline = self.looks + count, time.monotonic() + 60
        while self.looks < until:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return tmp_path / "entry"


@contextmanager
def holding(entry: Path) -> Iterator[None]:
    """Another holds the lock, who has written no owner's file."""
    with FileLock(f"{entry}.lock"):
        yield


def test_the_owner_is_named_while_it_holds_the_lock_and_no_longer(entry: Path) -> None:
    with held(entry, never):
        assert owner(entry).read_text().startswith(f"{this_process()}\n")
        with pytest.raises(TimeoutError):
            FileLock(f"{entry}.lock").acquire(timeout=0)
    assert not owner(entry).exists()
    FileLock(f"{entry}.lock").acquire(timeout=0)


@pytest.mark.hostile("races")
def test_what_a_process_that_ended_here_left_is_taken_over_at_once(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_lock, "STALE_S", 3600.0)
    owner(entry).write_text(ENDED)
    with held(entry, never):
        assert owner(entry).read_text().startswith(f"{this_process()}\n")


@pytest.mark.hostile("races")
@pytest.mark.parametrize("locked", [False, True])
def test_a_holder_elsewhere_that_gives_no_sign_of_life_is_not_waited_for_forever(
    entry: Path, locked: bool
) -> None:
    owner(entry).write_text(ELSEWHERE)
    messages: list[int] = []
    with holding(entry) if locked else nullcontext(), held(entry, lambda: messages.append(1)):
        assert owner(entry).read_text().startswith(f"{this_process()}\n")
    assert messages == [1]
    assert not owner(entry).exists()


@pytest.mark.hostile("races")
def test_a_lock_that_nobody_says_to_hold_is_not_waited_for_forever(entry: Path) -> None:
    with holding(entry), held(entry, lambda: None):
        assert owner(entry).exists()


@pytest.mark.hostile("races")
def test_a_holder_elsewhere_that_lives_is_waited_for(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    actual: list[str] = []
    owner(entry).write_text(ELSEWHERE)

    def want() -> None:
        with held(entry, lambda: None):
            actual.append("held")

    clock = Clock()
    monkeypatch.setattr(stage_lock, "time", clock)
    waiting = threading.Thread(target=want)
    waiting.start()
    for beat in range(5):  # three times as long as it would wait for one that is dead
        owner(entry).write_text(ELSEWHERE.replace(" 0\n", f" {beat}\n"))
        clock.wait_for_looks(2)
        clock.now += 0.6 * stage_lock.STALE_S
    assert actual == []
    owner(entry).unlink()
    waiting.join(120)
    assert actual == ["held"]


@pytest.mark.hostile("races")
def test_a_slow_holder_on_this_machine_is_waited_for(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_lock, "BEAT_S", 3600.0)
    actual: list[str] = []

    def want() -> None:
        with held(entry, lambda: None):
            actual.append("held")

    waiting = threading.Thread(target=want)
    with held(entry, never):
        waiting.start()
        waiting.join(1.5)
        assert actual == []
    waiting.join(120)
    assert actual == ["held"]


def test_the_file_changes_while_its_owner_lives(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_lock, "BEAT_S", 0.01)
    with held(entry, never):
        before, changed = owner(entry).read_text(), threading.Event()
        for _ in range(2000):
            if owner(entry).read_text() not in ("", before):
                changed.set()
                break
            threading.Event().wait(0.01)
        assert changed.is_set()


@pytest.mark.hostile("races")
def test_who_was_taken_over_leaves_the_new_owners_file_alone(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_lock, "BEAT_S", 0.01)
    with held(entry, never):
        OwnerFile(entry).clear(ELSEWHERE)
        owner(entry).write_text(ELSEWHERE)
        threading.Event().wait(0.1)
    assert owner(entry).read_text() == ELSEWHERE


@pytest.mark.hostile("races")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, None])
def test_a_file_system_without_locks_has_the_owners_file(
    entry: Path, number: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: FileLock, **_: Any) -> NoReturn:
        raise NotImplementedError if number is None else OSError(number, "no locks")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with held(entry, never):
        assert not OwnerFile(entry).claim()


def test_a_folder_that_may_not_be_written_to_is_an_error(entry: Path) -> None:
    entry.touch()
    with pytest.raises(OSError, match=str(entry)), held(entry / "x", never):
        pass


def test_prune_removes_owners_files_of_long_ago(store: Store) -> None:
    old, new = owner(entry_folder(store)), entry_folder(store).with_name("other.owner")
    old.parent.mkdir()
    for path in (old, new):
        path.write_text(ELSEWHERE)
    os.utime(old, (1.0, 1.0))
    prune(store.folder, older_than_s=None, max_size=None)
    assert (old.exists(), new.exists()) == (False, True)
