"""Runs that are killed at random moments: the same command ends with undisturbed numbers."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from endurance_runs import Numbers, Scale, Start, numbers_of
from hostile_count import Attempts

from mmclf.storage.store.maintenance import damaged

pytestmark = [pytest.mark.slow, pytest.mark.hostile("kills of runs")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, start: Start) -> tuple[Numbers, float]:
    """What a run comes to that nobody kills, and the seconds that it takes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    process = start(folder)
    process.join()
    assert process.exitcode == 0
    return numbers_of(folder, process.pid), time.monotonic() - started


def test_a_killed_run_ends_with_the_numbers_of_an_undisturbed_one(
    tmp_path: Path,
    start: Start,
    scale: Scale,
    attempts: Attempts,
    undisturbed: tuple[Numbers, float],
) -> None:
    numbers, seconds = undisturbed
    chance = random.Random(0)
    killed, shares = 0, min(scale.kills, 10)
    for attempt in range(scale.kills):
        folder = tmp_path / str(attempt)
        process = start(folder)
        assert process.pid is not None
        # One after the other in each share of a run's time, so that every stage is hit.
        moment, started = (attempt % shares + chance.random()) / shares * seconds, time.monotonic()
        process.join(moment)
        was_there = process.exitcode is None
        if was_there:
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += 1
        else:  # the undisturbed run was a slow one, on a machine with other work
            seconds = time.monotonic() - started
        with attempts.counted(was_there):
            again = start(folder)
            again.join()
            log = (folder / f"{again.pid}.log").read_text()
            assert again.exitcode == 0, f"killed after {moment:.2f} s: {log}"
            assert numbers_of(folder, again.pid) == numbers
            assert not list(damaged(folder / "store"))
        shutil.rmtree(folder)
    assert killed > 0
