"""Values that stay on the disk: files that are opened where they lie."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from stored_values import STAGE, Files, empty_store, entry_folder, files, is_free, never, on_disk

from mmclf.storage.store.entry import Entry, OutdatedError, StageTiming
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)


class Outdated(Files):
    def __init__(self, answers: list[bool]) -> None:
        self.answers = answers

    def read(self, entry: Entry) -> Path:
        if self.answers and self.answers.pop():
            raise OutdatedError("an image can be read now")
        return super().read(entry)


def test_a_value_that_is_its_file_is_made_once_and_opened_where_it_lies(store: Store) -> None:
    made = store.get_or_compute(STAGE, Files(), lambda: on_disk(store), reopen=True)
    assert made.value == entry_folder(store) / "array"
    assert made.timing == StageTiming("fit", STAGE.key, 2.5, 9, "2 x CPU", None)
    assert not made.reused
    again = store.get_or_compute(STAGE, Files(), never, reopen=True)
    assert (again.value, again.timing, again.reused) == (made.value, made.timing, True)
    store.sign("run1")
    assert store.get_or_compute(STAGE, Files(), never, reopen=True).timing.run == "run1"


def test_an_outdated_value_is_made_again_without_a_word(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[bool] = []
    store.get_or_compute(STAGE, Outdated(answers), lambda: on_disk(store), reopen=True)
    os.utime(entry_folder(store) / "array", (1, 1))
    answers += [True, True]  # at the first look, and under the lock
    store.get_or_compute(STAGE, Outdated(answers), lambda: on_disk(store), reopen=True)
    assert answers == []
    assert (entry_folder(store) / "array").stat().st_mtime > 1
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("where", ["compute", "write"])
def test_a_value_that_has_no_room_is_an_error_and_leaves_nothing(store: Store, where: str) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    class Full(Files):
        def write(self, value: Path, folder: Path) -> None:
            super().write(value, folder)
            raise full

    def compute() -> Computed[Path]:
        if where == "compute":
            raise full
        return on_disk(store)

    with pytest.raises(OSError, match="No space left"):
        store.get_or_compute(STAGE, Full(), compute, reopen=True)
    assert files(store) == set()
    assert is_free(store)
    made = store.get_or_compute(STAGE, Files(), lambda: on_disk(store), reopen=True)
    assert made.timing.count == 9
