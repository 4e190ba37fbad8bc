"""A store whose locks are not seen, or whose owner's file is something else: results are whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from stored_values import (
    STAGE,
    Text,
    computed,
    empty_store,
    entry_files,
    entry_folder,
    files,
    hurry_locks,
    owner,
)

from mmclf.storage.store.maintenance import damaged
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)
hurried = pytest.fixture(autouse=True)(hurry_locks)


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


@pytest.mark.hostile("stores")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "zeros"])
def test_another_thing_in_the_place_of_the_owners_file_holds_nobody_up(
    store: Store, kind: str, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("whole")
    path = owner(entry_folder(store))
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
    answers = [process.communicate(timeout=300) for process in processes]
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
        entry_folder(store).mkdir()
        (entry_folder(store) / "value").write_text("half")
        return computed("ours")()

    assert store.get_or_compute(STAGE, Text(), late).value == "ours"
    again = store.get(STAGE, Text())
    assert again is not None
    assert again.value == "ours"
    assert files(store) == entry_files()
