"""Which run of a study a run is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mmclf.storage.tracking import TrackedRun


class RunKey(NamedTuple):
    """A run of a study: its arm's name and its seed."""

    arm: str
    seed: int


def run_key(run: TrackedRun) -> RunKey:
    """The key of a study's tracked run."""
    return RunKey(run.tags["mmclf.arm"], int(run.tags["mmclf.seed"]))


def in_words(keys: Iterable[RunKey]) -> str:
    """As `bce (seed 0), focal (seed 1)`."""
    return ", ".join(f"{arm} (seed {seed})" for arm, seed in keys)
