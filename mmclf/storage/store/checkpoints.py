"""Checkpoints: how far a computation is, kept in the store until its result is there."""

from __future__ import annotations

from typing import Generic, TypeVar

from mmclf.errors import tell
from mmclf.storage.store.entry import Stage, StageTiming, new_entry, open_entry
from mmclf.storage.store.inner_files import remove_entry, remove_unfinished
from mmclf.storage.store.serializer import UNREADABLE, Serializer
from mmclf.storage.store.store import Store

T = TypeVar("T")
NAME, VERSION = "checkpoint", 1


class Checkpoints(Generic[T]):
    """The checkpoints of the computation of a stage, which one process at a time makes.

    The latest alone is kept, in one of two entries, so that a process that is killed while it
    writes the other one leaves a whole one.
    """

    def __init__(self, store: Store, stage: Stage, serializer: Serializer[T]) -> None:
        self._store, self._serializer, self._stage = store, serializer, stage
        self._slots = _slots(stage)
        self._written = 0  # in all attempts

    def read(self) -> tuple[T, StageTiming] | None:
        """The latest one and what it took up to it, its `run` that which wrote it, or None.

        A damaged one is removed, with a note.
        """
        for slot in sorted(self._slots, key=self._number, reverse=True):
            folder = self._store.folder_of(slot)
            remove_unfinished(folder)  # which a process left that was killed
            try:
                entry = open_entry(folder)
                value = self._serializer.read(entry)
            except FileNotFoundError:
                continue
            except UNREADABLE as error:
                tell(f"{error}: this checkpoint of {self._stage.name} is not used")
                remove_entry(folder)
                continue
            self._written = entry.timing.count
            return value, entry.timing
        return None

    def write(self, value: T, seconds: float) -> None:
        """Keep a checkpoint in place of the one before; `seconds`: what it took up to it.

        Raises OSError if that fails, and what the serializer raises; the one before is then left.
        """
        number = self._written + 1
        before, slot = sorted(self._slots, key=self._number, reverse=True)
        timing = self._store.timing(slot, seconds, number)
        remove_entry(self._store.folder_of(slot))
        with new_entry(self._store.folder_of(slot), slot, timing) as folder:
            self._serializer.write(value, folder)
        self._written = number
        remove_entry(self._store.folder_of(before))

    def drop(self) -> None:
        """Remove them."""
        drop_checkpoints(self._store, self._stage)

    def _number(self, slot: Stage) -> int:
        """Which checkpoint lies in a slot, by count from 1 on; 0 for none that is whole."""
        entry = self._store.entry(slot)
        return entry.timing.count if entry is not None else 0


def drop_checkpoints(store: Store, stage: Stage) -> None:
    """Remove the checkpoints of a stage, whose result is stored."""
    for slot in _slots(stage):
        remove_entry(store.folder_of(slot))
        remove_unfinished(store.folder_of(slot))


def _slots(stage: Stage) -> tuple[Stage, ...]:
    """The two stages whose entries may hold a checkpoint."""
    return tuple(Stage(NAME, VERSION, {"of": stage.key, "slot": slot}) for slot in range(2))
