"""What is damaged in the store is noticed, and made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from message_facts import Naming
from stored_values import (
    OTHER,
    STAGE,
    Array,
    Files,
    Text,
    computed,
    empty_store,
    entry_files,
    entry_folder,
    files,
    never,
    on_disk,
)

from mmclf.storage.store.entry import RECORD
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink])
@pytest.mark.parametrize("name", [RECORD, "value"])
@pytest.mark.hostile("stores")
def test_what_is_damaged_is_made_again_with_one_line_of_warning(
    store: Store, capsys: pytest.CaptureFixture[str], damage: Callable[[Path], None], name: str
) -> None:
    store.get_or_compute(STAGE, Text(), computed())
    damage(entry_folder(store) / name)
    assert store.get(STAGE, Text()) is None
    again = store.get_or_compute(STAGE, Text(), computed())
    assert (again.value, again.reused) == ("a", False)
    if (name, damage) == (RECORD, Path.unlink):  # then there is no entry that could be damaged
        assert capsys.readouterr().err == ""
    else:
        (line,) = capsys.readouterr().err.splitlines()
        assert line == Naming(entry_folder(store) / name, "fit")
    assert store.get_or_compute(STAGE, Text(), never).value == "a"
    assert files(store) == entry_files()
    assert capsys.readouterr().err == ""


@pytest.mark.hostile("stores")
def test_what_its_reader_cannot_read_is_made_again(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store.get_or_compute(
        STAGE, Text(), computed()
    )  # and no array, as an earlier version may have it
    made = store.get_or_compute(STAGE, Array(), lambda: Computed(np.ones(2), 1.0, 1))
    assert made.value.tolist() == [1.0, 1.0]
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.hostile("stores")
def test_entries_that_changed_places_are_noticed(store: Store, tmp_path: Path) -> None:
    store.get_or_compute(STAGE, Text(), computed("a"))
    store.get_or_compute(OTHER, Text(), computed("b"))
    entry_folder(store).rename(tmp_path / "aside")
    entry_folder(store, OTHER).rename(entry_folder(store))
    (tmp_path / "aside").rename(entry_folder(store, OTHER))
    assert store.get_or_compute(STAGE, Text(), computed("a")).value == "a"


@pytest.mark.parametrize("name", [RECORD, "array"])
@pytest.mark.hostile("stores")
def test_a_damaged_file_is_made_again_with_one_line_of_warning(
    store: Store, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    store.get_or_compute(STAGE, Files(), lambda: on_disk(store), reopen=True)
    flip(entry_folder(store) / name)
    again = store.get_or_compute(STAGE, Files(), lambda: on_disk(store), reopen=True)
    assert again.value.read_bytes() == b"pictures"
    (line,) = capsys.readouterr().err.splitlines()
    assert line == Naming(entry_folder(store) / name, "changed", "fit")
