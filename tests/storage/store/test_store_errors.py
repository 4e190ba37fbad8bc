"""An error while a result is computed or written leaves nothing in the store."""

from __future__ import annotations

import errno
from typing import NoReturn

import pytest
from stored_values import STAGE, Failing, Text, computed, empty_store, entry_folder, files, is_free

from mmclf.errors import InputError
from mmclf.storage.store.store import Store

store = pytest.fixture(empty_store)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_an_error_while_computing_leaves_nothing_and_frees_the_lock(
    store: Store, error: type[BaseException]
) -> None:
    def fail() -> NoReturn:
        raise error

    with pytest.raises(error):
        store.get_or_compute(STAGE, Text(), fail)
    assert is_free(store)
    assert files(store) == set()
    assert store.get_or_compute(STAGE, Text(), computed()).value == "a"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no JSON")])
def test_an_error_while_writing_leaves_nothing_and_frees_the_lock(
    store: Store, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        store.get_or_compute(STAGE, Failing(error), computed())
    assert is_free(store)
    assert files(store) == set()
    assert not entry_folder(store).with_name(f"{STAGE.key}.part").exists()


def test_an_error_of_ones_own_disk_while_computing_is_not_the_stores(store: Store) -> None:
    def fail() -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        store.get_or_compute(STAGE, Text(), fail)
    assert not isinstance(caught.value, InputError)
