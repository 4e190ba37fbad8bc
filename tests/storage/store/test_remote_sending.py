"""What is sent to a store behind the store: in what order, and who waits for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from remote_stores import Opened, close, machines, remote_entry
from stored_values import STAGE, Text, computed, entry_folder, never

from mmclf.storage.store import remote as module
from mmclf.storage.store.entry import RECORD
from mmclf.storage.store.maintenance import damaged
from mmclf.storage.store.store import Store


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return remote_entry(tmp_path)


@pytest.fixture
def machine(tmp_path: Path) -> Opened:
    return machines(tmp_path)


class Slow:
    """A file system whose writing waits until it is told to go on."""

    def __init__(self, files: Any) -> None:
        self.files, self.go = files, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.files, name)

    def pipe_file(self, *given: Any) -> None:
        self.go.wait(120)
        self.files.pipe_file(*given)


def _slowed(store: Store) -> Slow:
    assert store._remote is not None
    store._remote._files = slow = Slow(store._remote._files)
    return slow


def test_computing_does_not_wait_for_sending_and_the_end_does(
    machine: Opened, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUIET_WAIT_S", 0.01)
    store = machine("one")
    slow = _slowed(store)
    store.get_or_compute(STAGE, Text(), computed())
    assert not (there / RECORD).exists()
    threading.Timer(0.1, slow.go.set).start()
    close(store)
    assert (there / RECORD).exists()


def test_the_record_is_sent_last(machine: Opened, there: Path) -> None:
    store = machine("one")
    slow = _slowed(store)
    store.get_or_compute(STAGE, Text(), computed())
    while not there.exists() or len([*there.iterdir()]) < 2:
        threading.Event().wait(0.01)
    assert not (there / RECORD).exists()
    assert machine("two").get(STAGE, Text()) is None
    slow.go.set()
    close(store)


@pytest.mark.parametrize("abandon", [True, False])
def test_what_stalls_or_is_abandoned_is_not_waited_for(
    abandon: bool, machine: Opened, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALL_S", 0.0)
    monkeypatch.setattr(module, "QUIET_WAIT_S", 0.01)
    store = machine("one")
    slow = _slowed(store)
    store.get_or_compute(STAGE, Text(), computed())
    close(store, abandon=abandon)
    assert not (there / RECORD).exists()
    slow.go.set()


def test_a_result_that_was_removed_before_it_was_sent_is_left_out(
    machine: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    store = machine("one")
    assert store._remote is not None
    store._remote.send(entry_folder(store))
    close(store)
    assert capsys.readouterr().err == ""


def test_two_that_send_one_result_spoil_nothing(machine: Opened) -> None:
    one, two, three = machine("one"), machine("two"), machine("three")
    for store, value in ((one, "by one"), (two, "by two")):
        slow = _slowed(store)
        store._remote._exists = lambda _: False  # type: ignore[union-attr, method-assign]
        store.get_or_compute(STAGE, Text(), computed(value))
        slow.go.set()
    close(two)
    close(one)
    assert three.get_or_compute(STAGE, Text(), never).value in ("by one", "by two")
    assert list(damaged(three.folder)) == []
