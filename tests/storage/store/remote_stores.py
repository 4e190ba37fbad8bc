"""Stores of several machines with one remote store behind them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from stored_values import STAGE

from mmclf.storage.store.remote import Remote
from mmclf.storage.store.store import Store

Opened = Callable[[str], Store]


def remote_address(folder: Path) -> str:
    return f"file://{folder}/remote/of mine"


def remote_entry(folder: Path) -> Path:
    """The entry of the stage in the remote store."""
    return folder / "remote" / "of mine" / "fit" / STAGE.key


def machines(folder: Path) -> Opened:
    """Opens the store of a machine, by its name."""

    def opened(name: str) -> Store:
        return Store(folder / name, f"CPU of {name}", remote=Remote(remote_address(folder)))

    return opened


def close(store: Store, **how: Any) -> None:
    assert store._remote is not None
    store._remote.close(**how)
