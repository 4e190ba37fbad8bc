"""Processes that run the same at once: what they need is computed once, and no run is lost."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from endurance_runs import Scale, Start, numbers_of

from mmclf.storage.tracking import Tracker

pytestmark = pytest.mark.slow

PROCESSES = 8


def test_runs_that_start_at_once_compute_once_and_agree(
    tmp_path: Path, start: Start, scale: Scale
) -> None:
    for attempt in range(scale.races):
        folder = tmp_path / str(attempt)
        processes = [start(folder) for _ in range(PROCESSES)]
        for process in processes:
            process.join()
        logs = [(folder / f"{process.pid}.log").read_text() for process in processes]
        assert [process.exitcode for process in processes] == [0] * PROCESSES, "\n".join(logs)
        first, *others = (numbers_of(folder, process.pid) for process in processes)
        assert all(other == first for other in others)
        runs = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder).runs()
        assert [run.status for run in runs] == ["FINISHED"] * PROCESSES
        makers = Counter(
            key
            for run in runs
            for key, value in run.tags.items()
            if key.startswith("mmclf.stage.") and " by this run in " in value
        )
        # The views and the clean pictures; whoever made the split and the pictures signed them.
        assert makers == {
            f"mmclf.stage.{name}": 1
            for name in ("split", "pictures", "vision.0", "vision.1", "text", "fit", "decide")
        }
        shutil.rmtree(folder)
