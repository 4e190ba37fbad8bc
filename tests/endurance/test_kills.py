"""Runs that are killed at random moments: the same command ends with undisturbed numbers."""

from __future__ import annotations

import random
import shutil
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from endurance_runs import Numbers, Scale, Start, kill_at, numbers_of
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
    chance, shares = random.Random(0), min(scale.kills, 10)
    for attempt in range(scale.kills):
        folder = tmp_path / str(attempt)

        def start_anew(folder: Path = folder) -> BaseProcess:
            shutil.rmtree(folder, ignore_errors=True)
            return start(folder)

        # One after the other in each share of a run's time, so that every stage is hit.
        share = (attempt % shares + chance.random()) / shares
        seconds = kill_at(start_anew, share, seconds)
        with attempts.counted():
            again = start(folder)
            again.join()
            log = (folder / f"{again.pid}.log").read_text()
            assert again.exitcode == 0, f"killed after {share:.0%} of a run: {log}"
            assert numbers_of(folder, again.pid) == numbers
            assert not list(damaged(folder / "store"))
        shutil.rmtree(folder)
