"""The latest checkpoint is kept, whole, until it is dropped."""

from __future__ import annotations

from pathlib import Path

import pytest
from message_facts import Naming
from stored_values import OTHER, STAGE, Failing, Text, empty_store, files

from mmclf.storage.store.checkpoints import NAME, Checkpoints, drop_checkpoints
from mmclf.storage.store.entry import RECORD
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)


def checkpoints(store: Store) -> Checkpoints[str]:
    return Checkpoints(store, STAGE, Text())


def folders(store: Store) -> list[Path]:
    return sorted((store.folder / NAME).iterdir())


def test_there_is_none_at_first(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert checkpoints(store).read() is None
    drop_checkpoints(store, STAGE)
    assert capsys.readouterr().err == ""


def test_the_latest_alone_is_kept_with_its_cost_and_run(store: Store) -> None:
    store.sign("1" * 32)
    ours = checkpoints(store)
    for number, text in enumerate("abc", start=1):
        ours.write(text, seconds=number * 10.0)
        assert len(folders(store)) == 1
        content = checkpoints(store).read()
        assert content is not None
        value, timing = content
        assert (value, timing.seconds, timing.count) == (text, number * 10.0, number)
        assert timing.run == "1" * 32
    assert Checkpoints(store, OTHER, Text()).read() is None


def test_another_attempt_goes_on_where_one_was(store: Store) -> None:
    checkpoints(store).write("a", 1.0)
    again = checkpoints(store)
    again.read()
    again.write("b", 2.0)
    content = checkpoints(store).read()
    assert content is not None
    assert (content[0], content[1].count) == ("b", 2)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "no space")])
def test_a_write_that_fails_leaves_the_one_before(store: Store, error: BaseException) -> None:
    for text in ("a", "b"):
        checkpoints(store).write(text, 1.0)
        before = files(store)
        with pytest.raises(type(error)):
            Checkpoints(store, STAGE, Failing(error)).write("c", 2.0)
        assert files(store) == before
        content = checkpoints(store).read()
        assert content is not None
        assert content[0] == text
        drop_checkpoints(store, STAGE)


def test_of_two_that_a_kill_left_the_later_counts(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = checkpoints(store)
    ours.write("a", 1.0)
    with monkeypatch.context() as killed:
        # The one before is removed last.
        killed.setattr("mmclf.storage.store.checkpoints.remove_entry", lambda _: None)
        ours.write("b", 2.0)
    assert len(folders(store)) == 2
    again = checkpoints(store)
    content = again.read()
    assert content is not None
    assert content[0] == "b"
    again.write("c", 3.0)
    assert len(folders(store)) == 1
    content = checkpoints(store).read()
    assert content is not None
    assert content[0] == "c"


@pytest.mark.parametrize("name", [RECORD, "value"])
def test_a_damaged_one_is_noticed_removed_and_not_used(
    store: Store, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    checkpoints(store).write("a", 1.0)
    (folder,) = folders(store)
    (folder / name).write_bytes(b"?")
    assert checkpoints(store).read() is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line == Naming(folder / name, "checkpoint", STAGE.name)
    assert folders(store) == []


def test_dropping_leaves_nothing_not_even_halves(store: Store) -> None:
    ours = checkpoints(store)
    ours.write("a", 1.0)
    (folder,) = folders(store)
    folder.with_name(f"{folder.name}.0123-45.part").mkdir()
    drop_checkpoints(store, STAGE)
    assert folders(store) == []
