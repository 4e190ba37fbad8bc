"""Locks of results on file systems that share them, and on those that do not."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn

import pytest
from filelock import FileLock
from stored_values import STAGE, Text, computed, empty_store, entry_files, files, never, place

from mmclf.storage.process_identity import this_process
from mmclf.storage.store import stage_lock
from mmclf.storage.store.maintenance import damaged, prune
from mmclf.storage.store.stage_lock import OwnerFile, held
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)
ELSEWHERE = "node7/another-boot/17/99/\n0123abcd 0\n"
ENDED = this_process().replace(f"/{os.getpid()}/", "/1/") + "\n0123abcd 0\n"

# Locks that nobody else sees; both write at once.
UNSEEN = """
import sys, time
from pathlib import Path
from filelock import FileLock
from mmclf.storage.store import stage_lock
from mmclf.storage.store.entry import Stage
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

folder, number = Path(sys.argv[1]), sys.argv[2]
FileLock.acquire = lambda self, **_: None
FileLock.release = lambda self, **_: None
stage_lock.OwnerFile.claim = lambda self: True
stage_lock.OwnerFile.read = lambda self: None

def meet(what):
    (folder / f"{what}.{number}").touch()
    while len([*folder.glob(f"{what}.*")]) < 2:
        time.sleep(0.01)

class Text:
    def write(self, value, folder):
        for part in range(20):
            (folder / f"{part}").write_text(value)
            if part == 10:
                meet("half")

    def read(self, entry):
        (value,) = {entry.read(f"{part}").decode() for part in range(20)}
        return value

def compute():
    meet("computed")
    return Computed(f"by {number}", 1.0, 1)

store = Store(folder / "store", "2 x CPU")
for seed in range(int(sys.argv[3])):
    stage = Stage("fit", 1, {"seed": seed})
    store.get_or_compute(stage, Text(), compute)
    print(store.get(stage, Text()).value)
"""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"POLL_S": 0.02, "QUIET_WAIT_S": 0.02, "STALE_S": 0.5}.items():
        monkeypatch.setattr(stage_lock, name, seconds)


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    return tmp_path / "entry"


@contextmanager
def holding(entry: Path) -> Iterator[None]:
    """Another holds the lock, who has written no owner's file."""
    with FileLock(f"{entry}.lock"):
        yield


def owner(entry: Path) -> Path:
    return Path(f"{entry}.owner")


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
    told: list[int] = []
    with holding(entry) if locked else nullcontext(), held(entry, lambda: told.append(1)):
        assert owner(entry).read_text().startswith(f"{this_process()}\n")
    assert told == [1]
    assert not owner(entry).exists()


@pytest.mark.hostile("races")
def test_a_lock_that_nobody_says_to_hold_is_not_waited_for_forever(entry: Path) -> None:
    with holding(entry), held(entry, lambda: None):
        assert owner(entry).exists()


@pytest.mark.hostile("races")
def test_a_holder_elsewhere_that_lives_is_waited_for(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    owner(entry).write_text(ELSEWHERE)

    def want() -> None:
        with held(entry, lambda: None):
            found.append("held")

    waiting = threading.Thread(target=want)
    waiting.start()
    for beat in range(10):  # three times as long as it would wait for one that is dead
        owner(entry).write_text(ELSEWHERE.replace(" 0\n", f" {beat}\n"))
        waiting.join(0.15)
    assert found == []
    owner(entry).unlink()
    waiting.join(20)
    assert found == ["held"]


@pytest.mark.hostile("races")
def test_a_slow_holder_on_this_machine_is_waited_for(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage_lock, "BEAT_S", 3600.0)
    found: list[str] = []

    def want() -> None:
        with held(entry, lambda: None):
            found.append("held")

    waiting = threading.Thread(target=want)
    with held(entry, never):
        waiting.start()
        waiting.join(1.5)
        assert found == []
    waiting.join(20)
    assert found == ["held"]


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


@pytest.mark.hostile("stores")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "zeros"])
def test_another_thing_in_the_place_of_the_owners_file_holds_nobody_up(
    store: Store, kind: str, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("whole")
    path = owner(place(store))
    path.parent.mkdir()
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(victim)
        case "folder":
            path.mkdir()
        case _:
            path.write_bytes(bytes(10**6))
    assert store.get_or_compute(STAGE, Text(), computed()).value == "a"
    assert victim.read_text() == "whole"


@pytest.mark.hostile("races")
def test_what_two_processes_write_that_see_no_locks_is_whole(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UNSEEN, str(tmp_path), number, "1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in "ab"
    ]
    answers = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert {path.name for path in tmp_path.glob("computed.*")} == {"computed.a", "computed.b"}
    assert len({out for out, _ in answers}) == 1
    assert answers[0][0] in ("by a\n", "by b\n")
    store = Store(tmp_path / "store", "2 x CPU")
    assert store.entry(STAGE) is not None
    assert list(damaged(store.folder)) == []
    assert not [path for path in store.folder.rglob("*") if path.suffix == ".part"]


@pytest.mark.hostile("races")
def test_a_result_that_another_wrote_meanwhile_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Store(store.folder, "another")

    @contextmanager
    def unseen(*_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr("mmclf.storage.store.store.held", unseen)

    def late() -> Any:
        other.get_or_compute(STAGE, Text(), computed("theirs"))
        return computed("ours")()

    made = store.get_or_compute(STAGE, Text(), late)
    assert (made.value, made.timing.hardware) == ("theirs", "another")
    assert files(store) == entry_files()


@pytest.mark.hostile("races")
def test_a_damaged_one_that_came_meanwhile_is_replaced(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late() -> Any:
        place(store).mkdir()
        (place(store) / "value").write_text("half")
        return computed("ours")()

    assert store.get_or_compute(STAGE, Text(), late).value == "ours"
    again = store.get(STAGE, Text())
    assert again is not None
    assert again.value == "ours"
    assert files(store) == entry_files()


def test_prune_removes_owners_files_of_long_ago(store: Store) -> None:
    old, new = owner(place(store)), place(store).with_name("other.owner")
    old.parent.mkdir()
    for path in (old, new):
        path.write_text(ELSEWHERE)
    os.utime(old, (1.0, 1.0))
    prune(store.folder, older_than_s=None, max_size=None)
    assert (old.exists(), new.exists()) == (False, True)
