"""Values to store, and what lies in a store of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray

from mmclf.storage.store import stage_lock
from mmclf.storage.store.arrays import save_array
from mmclf.storage.store.entry import RECORD, Entry, Stage
from mmclf.storage.store.stage_result import Computed
from mmclf.storage.store.store import Store

STAGE = Stage("fit", 1, {"seed": 0})
OTHER = Stage("fit", 1, {"seed": 1})


class Text:
    """A text in a file, beside an empty one."""

    def write(self, value: str, folder: Path) -> None:
        (folder / "value").write_text(value)
        (folder / "more").mkdir()
        (folder / "more" / "empty").touch()

    def read(self, entry: Entry) -> str:
        entry.read("more/empty")
        return entry.read("value").decode()


class Failing(Text):
    """Writes half of it, then fails."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def write(self, value: str, folder: Path) -> None:
        (folder / "value").write_text(value[:1])
        raise self.error


class Array:
    def write(self, value: NDArray[np.float64], folder: Path) -> None:
        save_array(folder / "value.npy", value)

    def read(self, entry: Entry) -> NDArray[np.float64]:
        loaded: NDArray[np.float64] = np.load(entry.path("value.npy"), allow_pickle=False)
        return loaded


class Files:
    """A value that is its file."""

    def write(self, value: Path, folder: Path) -> None:
        value.replace(folder / "array")

    def read(self, entry: Entry) -> Path:
        return entry.path("array")


def empty_store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", "2 x CPU")


def computed(value: str = "a", **more: Any) -> Callable[[], Computed[str]]:
    return lambda: Computed(value, 1.5, 7, **more)


def on_disk(store: Store) -> Computed[Path]:
    draft = store.folder / "draft"
    draft.write_bytes(b"pictures")
    return Computed(draft, 2.5, 9)


def never() -> NoReturn:
    pytest.fail("it was computed again")


def entry_folder(store: Store, stage: Stage = STAGE) -> Path:
    return store.folder / "fit" / stage.key


def files(store: Store) -> set[str]:
    """What lies in the store but for locks, and those who hold them."""
    result = {
        p.relative_to(store.folder).as_posix() for p in store.folder.rglob("*") if p.is_file()
    }
    return {name for name in result if not name.endswith((".lock", ".owner"))}


def entry_files(stage: Stage = STAGE) -> set[str]:
    return {f"fit/{stage.key}/{name}" for name in (RECORD, "value", "more/empty")}


def is_free(store: Store, stage: Stage = STAGE) -> bool:
    with FileLock(f"{entry_folder(store, stage)}.lock", timeout=0) as lock:
        return lock.is_locked


def owner(entry: Path) -> Path:
    """The file of who holds an entry's lock."""
    return Path(f"{entry}.owner")


def hurry_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a lock for half a second, not for minutes."""
    for name, seconds in {"POLL_S": 0.02, "QUIET_WAIT_S": 0.02, "STALE_S": 0.5}.items():
        monkeypatch.setattr(stage_lock, name, seconds)
