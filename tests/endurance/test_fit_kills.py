"""Fits of trained encoders that are killed at random moments go on to the same bits."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from endurance_runs import Numbers, Scale, Start, numbers_of

from mmclf.storage.store.checkpoints import NAME
from mmclf.storage.store.maintenance import damaged
from mmclf.storage.tracking import TrackedRun, Tracker

pytestmark = pytest.mark.slow

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGUSR2)
EPOCHS = 3


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, start_trained: Start
) -> tuple[Numbers, float]:
    """What a run comes to that nobody kills, and the seconds that follow its first checkpoint."""
    folder = tmp_path_factory.mktemp("undisturbed")
    process = start_trained(folder)
    wait_for_another(process, folder, kept(folder))
    first = time.monotonic()
    process.join()
    assert process.exitcode == 0, (folder / f"{process.pid}.log").read_text()
    return numbers_of(folder, process.pid), time.monotonic() - first


def kept(folder: Path) -> set[tuple[str, int]]:
    """The checkpoints that there are, each by its folder and the time of its record."""
    records = (folder / "store" / NAME).glob("*/entry.json")
    written = set()
    for record in records:
        with suppress(OSError):  # it has just been replaced
            written.add((record.parent.name, record.stat().st_mtime_ns))
    return written


def wait_for_another(process: BaseProcess, folder: Path, before: set[tuple[str, int]]) -> None:
    """Wait until a process has kept a checkpoint, or has ended."""
    while process.exitcode is None and not kept(folder) - before:
        process.join(0.01)


def runs(folder: Path) -> list[TrackedRun]:
    return Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder).runs()


def epochs_of(folder: Path, run: TrackedRun) -> list[int]:
    client = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder).client
    return [point.step for point in client.get_metric_history(run.id, "epoch/val/loss")]


def test_a_fit_that_is_killed_anywhere_goes_on_to_the_same_bits(
    tmp_path: Path,
    start_trained: Start,
    scale: Scale,
    undisturbed: tuple[Numbers, float],
) -> None:
    numbers, seconds = undisturbed
    chance = random.Random(0)
    killed, resumed, shares = 0, 0, min(scale.kills, 10)
    for attempt in range(scale.kills):
        folder = tmp_path / str(attempt)
        for _ in range(2):  # killed twice, the second time when it goes on already
            before = kept(folder)
            process = start_trained(folder)
            assert process.pid is not None
            wait_for_another(process, folder, before)
            # In each share of what is left one after the other.
            process.join((attempt % shares + chance.random()) / shares * seconds)
            if process.exitcode is None:
                os.kill(process.pid, SIGNALS[attempt % len(SIGNALS)])
                process.join()
                killed += 1
        last = start_trained(folder)
        last.join()
        log = (folder / f"{last.pid}.log").read_text()
        assert last.exitcode == 0, log
        assert numbers_of(folder, last.pid) == numbers, f"attempt {attempt}: {log}"
        assert not list(damaged(folder / "store"))
        assert not list((folder / "store" / NAME).glob("*"))
        newest, *_ = tracked = runs(folder)
        assert epochs_of(folder, newest) == [*range(1, EPOCHS + 1)]
        resumed += any("mmclf.resumed_from" in run.tags for run in tracked)
        shutil.rmtree(folder)
    assert killed > 0
    assert resumed > 0
