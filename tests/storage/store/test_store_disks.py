"""A store on a disk that is full, or that may only be read."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from message_facts import Naming
from stored_values import (
    OTHER,
    STAGE,
    Array,
    Failing,
    Text,
    computed,
    empty_store,
    entry_files,
    files,
    is_free,
    never,
)

from mmclf.errors import InputError
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)

FULL = Naming("no space", "fit", os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
@pytest.mark.hostile("disks, streams, clocks")
def test_a_full_disk_leaves_the_value_unstored_and_the_store_usable(
    store: Store, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    form = Failing(OSError(number, "No space left on device"))
    made = store.get_or_compute(STAGE, form, computed())
    assert (made.value, made.reused) == ("a", False)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == FULL
    assert line == Naming(store.folder)
    assert files(store) == set()
    assert is_free(store)
    assert store.get_or_compute(STAGE, Text(), computed()).value == "a"
    assert files(store) == entry_files()


@pytest.mark.hostile("disks, streams, clocks")
def test_a_disk_that_really_is_full_leaves_the_store_usable(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(small_disk / "store", "2 x CPU")
    store.get_or_compute(OTHER, Text(), computed("small"))
    made = store.get_or_compute(STAGE, Text(), computed("a" * 2_000_000))
    assert (len(made.value), made.reused) == (2_000_000, False)
    message = capsys.readouterr().err
    assert message == FULL
    assert message.count("\n") == 1
    assert files(store) == entry_files(OTHER)
    assert store.get_or_compute(OTHER, Text(), never).value == "small"
    assert store.get_or_compute(STAGE, Text(), computed("fits")).value == "fits"
    assert files(store) == entry_files(OTHER) | entry_files(STAGE)


@pytest.mark.hostile("disks, streams, clocks")
def test_a_full_disk_is_known_of_an_array_too(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(small_disk / "store", "2 x CPU")
    made = store.get_or_compute(STAGE, Array(), lambda: Computed(np.ones(10**6), 1.0, 1))
    assert made.value.sum() == 10**6
    assert capsys.readouterr().err == Naming("no space", "fit")


@pytest.mark.hostile("disks, streams, clocks")
def test_a_disk_that_may_only_be_read_serves_what_it_has(small_disk: Path) -> None:
    store = Store(small_disk / "store", "2 x CPU")
    store.get_or_compute(OTHER, Text(), computed("small"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert store.get_or_compute(OTHER, Text(), never).value == "small"
    with pytest.raises(InputError, match=r"store\.dir: .*store .*Read-only"):
        store.get_or_compute(STAGE, Text(), never)
    with pytest.raises(InputError, match=r"give store\.dir=DIR "):
        Store(small_disk / "other", "2 x CPU")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write to every folder"
)
@pytest.mark.hostile("disks, streams, clocks")
def test_a_folder_that_one_may_only_read_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = Store(folder, "2 x CPU")
    folder.chmod(0o555)
    try:
        with pytest.raises(InputError, match=r"store\.dir: .*store cannot be"):
            store.get_or_compute(STAGE, Text(), never)
        with pytest.raises(InputError, match=r"store\.dir: .*inner cannot be"):
            Store(folder / "inner", "2 x CPU")
    finally:
        folder.chmod(0o755)


@pytest.mark.hostile("disks, streams, clocks")
def test_a_file_in_the_place_of_the_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with pytest.raises(InputError, match=r"store\.dir: .*store .*File exists"):
        Store(tmp_path / "store", "2 x CPU")
