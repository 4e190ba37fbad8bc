"""Which run of a study a run is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from mmclf.errors import InputError
from mmclf.storage.tracking import TrackedRun

ARM_TAG, SEED_TAG = "mmclf.arm", "mmclf.seed"
SEED = re.compile(r"[0-9]{1,20}")


class RunKey(NamedTuple):
    """A run of a study: its arm's name and its seed."""

    arm: str
    seed: int


def run_key(run: TrackedRun) -> RunKey:
    """The key of a study's tracked run; raises InputError if its tags make none."""
    arm, seed = run.tags.get(ARM_TAG), run.tags.get(SEED_TAG, "")
    if arm is None or SEED.fullmatch(seed) is None:
        raise InputError(
            f"run {run.id}: found the tags mmclf.arm={arm!r} and mmclf.seed={seed!r}, expected a "
            "name and a number: delete the run, or correct its tags"
        )
    return RunKey(arm, int(seed))


def in_words(keys: Iterable[RunKey]) -> str:
    """As `bce (seed 0), focal (seed 1)`."""
    return ", ".join(f"{arm} (seed {seed})" for arm, seed in keys)
