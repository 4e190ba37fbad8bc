"""A store behind the store: fetched from, sent to, and never believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from message_facts import Naming
from remote_stores import Opened, close, machines, remote_entry
from stored_values import STAGE, Files, Text, computed, entry_folder, files, never, on_disk

from mmclf.storage.store import remote as module
from mmclf.storage.store.entry import RECORD
from mmclf.storage.store.hashing import digest
from mmclf.storage.store.maintenance import damaged, stored_entries
from mmclf.storage.store.remote import FETCHED
from mmclf.storage.store.store import Store


@pytest.fixture
def there(tmp_path: Path) -> Path:
    return remote_entry(tmp_path)


@pytest.fixture
def machine(tmp_path: Path) -> Opened:
    return machines(tmp_path)


@pytest.fixture
def sent(machine: Opened) -> Store:
    """A store whose result has been sent."""
    store = machine("one")
    store.get_or_compute(STAGE, Text(), computed("the value"))
    close(store)
    return store


def test_what_one_machine_computed_another_fetches(sent: Store, machine: Opened) -> None:
    other = machine("two")
    made = other.get_or_compute(STAGE, Text(), never)
    assert (made.value, made.reused) == ("the value", True)
    assert (made.timing.hardware, made.timing.seconds) == ("CPU of one", 1.5)
    names = {name.rpartition("/")[2] for name in files(other)}
    assert names == {RECORD, FETCHED, "value", "empty"}
    assert [entry.is_fetched for entry in stored_entries(other.folder)] == [True]
    assert [entry.is_fetched for entry in stored_entries(sent.folder)] == [False]
    assert list(damaged(other.folder)) == []


def test_without_the_remote_store_it_is_there_afterwards(sent: Store, machine: Opened) -> None:
    assert machine("two").get(STAGE, Text()) is not None
    alone = Store(sent.folder.parent / "two", "CPU")
    assert alone.get_or_compute(STAGE, Text(), never).value == "the value"


def test_what_is_asked_for_without_computing_is_fetched_too(sent: Store, machine: Opened) -> None:
    assert machine("two").is_stored(STAGE)
    actual = machine("two").get(STAGE, Text())
    assert actual is not None
    assert actual.value == "the value"
    assert machine("three").entry(STAGE) is None


def test_what_nobody_has_is_computed_once_it_was_looked_for(machine: Opened) -> None:
    store = machine("one")
    assert not store.is_stored(STAGE)
    assert store.get(STAGE, Text()) is None
    assert store.get_or_compute(STAGE, Text(), computed()).value == "a"


def test_files_that_stay_on_the_disk_are_sent_and_fetched(machine: Opened) -> None:
    one, two = machine("one"), machine("two")
    one.get_or_compute(STAGE, Files(), lambda: on_disk(one), reopen=True)
    close(one)
    actual = two.get_or_compute(STAGE, Files(), never, reopen=True)
    assert actual.value == entry_folder(two) / "array"
    assert actual.value.read_bytes() == b"pictures"


def test_a_result_gets_the_id_of_its_run_there_too(machine: Opened) -> None:
    one, two = machine("one"), machine("two")
    one.get_or_compute(STAGE, Text(), computed())
    one.sign("run-1")
    close(one)
    assert two.get_or_compute(STAGE, Text(), never).timing.run == "run-1"


def test_what_was_there_before_the_remote_store_is_sent_when_it_is_used(
    machine: Opened, tmp_path: Path
) -> None:
    Store(tmp_path / "one", "CPU").get_or_compute(STAGE, Text(), computed())
    one = machine("one")
    one.get_or_compute(STAGE, Text(), never)
    close(one)
    assert machine("two").get_or_compute(STAGE, Text(), never).value == "a"


def test_what_is_there_is_not_sent_again(sent: Store, machine: Opened, there: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in there.iterdir()}
    for name in ("one", "two"):
        store = machine(name)
        store.get_or_compute(STAGE, Text(), never)
        close(store)
    assert {path: path.stat().st_mtime_ns for path in there.iterdir()} == before


def _flip(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def _digest_of(there: Path, name: str) -> Path:
    return there / str(json.loads((there / RECORD).read_bytes())["files"][name][1])


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a bit of a file": lambda there: _flip(_digest_of(there, "value")),
    "a file that ends early": lambda there: _digest_of(there, "value").write_bytes(b"the"),
    "a file that goes on": lambda there: _digest_of(there, "value").write_bytes(b"the value!"),
    "no file": lambda there: _digest_of(there, "value").unlink(),
    "a bit of the record": lambda there: _flip(there / RECORD),
    "half of the record": lambda there: (there / RECORD).write_bytes(b'{"format": 1'),
    "an empty record": lambda there: (there / RECORD).write_bytes(b""),
}


@pytest.mark.hostile("stores")
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_there_is_made_again_and_replaced(
    damage: Callable[[Path], object],
    sent: Store,
    machine: Opened,
    there: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damage(there)
    two = machine("two")
    assert two.get(STAGE, Text()) is None
    assert capsys.readouterr().err == Naming("store.remote", STAGE.key)
    made = two.get_or_compute(STAGE, Text(), computed("again"))
    assert (made.value, made.reused) == ("again", False)
    close(two)
    assert machine("three").get_or_compute(STAGE, Text(), never).value == "again"


@pytest.mark.hostile("stores")
@pytest.mark.parametrize("name", ["../../../out", "/tmp/out", "a/../../out", RECORD, FETCHED, ""])
@pytest.mark.parametrize("value", ["0" * 64, "../../../secret"])
def test_a_forged_record_leads_nowhere(
    name: str, value: str, sent: Store, machine: Opened, there: Path, tmp_path: Path
) -> None:
    record = json.loads((there / RECORD).read_bytes())
    record["files"][name] = [0, value]
    fields = {key: value for key, value in record.items() if key != "sum"}
    text = json.dumps(fields | {"sum": digest(fields)}, indent=1, sort_keys=True) + "\n"
    (there / RECORD).write_text(text)
    two = machine("two")
    assert two.get(STAGE, Text()) is None
    assert not entry_folder(two).exists()
    left = [path for path in tmp_path.rglob("*") if path.name in ("out", "secret")]
    assert (left, files(two)) == ([], set())


@pytest.mark.hostile("stores")
def test_the_record_of_another_result_is_not_taken(
    sent: Store, machine: Opened, there: Path
) -> None:
    other = STAGE.__class__("fit", 1, {"seed": 7})
    there.rename(there.with_name(other.key))
    assert machine("two").get(other, Text()) is None


@pytest.mark.hostile("stores")
def test_a_record_that_is_too_large_is_not_read(
    sent: Store, machine: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RECORD_BYTES", 10)
    assert machine("two").get(STAGE, Text()) is None


def test_a_damaged_one_here_is_fetched_again(sent: Store, machine: Opened) -> None:
    (entry_folder(sent) / "value").write_text("the malue")
    again = machine("one").get_or_compute(STAGE, Text(), never)
    assert (again.value, again.reused) == ("the value", True)
    assert list(damaged(sent.folder)) == []


class Away:
    """A file system that nobody answers for."""

    def __init__(self, error: BaseException) -> None:
        self.error, self.asked = error, 0

    def __getattr__(self, name: str) -> Any:
        self.asked += 1

        def fail(*_: object, **__: object) -> NoReturn:
            raise self.error

        return fail


@pytest.mark.hostile("disks, streams, clocks")
@pytest.mark.parametrize("error", [PermissionError("403"), OSError("away"), RuntimeError("odd")])
def test_a_remote_store_that_fails_is_noted_once_and_no_run_fails_by_it(
    error: Exception, machine: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    store = machine("one")
    assert store._remote is not None
    away = Away(error)
    store._remote._files = away
    for seed in range(3):
        stage = STAGE.__class__("fit", 1, {"seed": seed})
        assert store.get_or_compute(stage, Text(), computed()).value == "a"
    store.sign("run")
    close(store)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0] == Naming("store.remote", str(error))
    assert away.asked == 1


@pytest.mark.hostile("disks, streams, clocks")
def test_one_that_fails_while_it_is_sent_to_is_noted_once(
    machine: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "remote").touch()  # where its folder would be
    store = machine("one")
    for seed in range(3):
        stage = STAGE.__class__("fit", 1, {"seed": seed})
        assert store.get_or_compute(stage, Text(), computed()).value == "a"
    close(store)
    assert len(capsys.readouterr().err.splitlines()) == 1
