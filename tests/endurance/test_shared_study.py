"""A study that several processes share, some of which are killed: each cell is finished once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from endurance_runs import Scale, StartCommand
from shared_study import run_shared

pytestmark = pytest.mark.slow


def test_each_cell_is_finished_once_though_processes_are_killed(
    tmp_path: Path, start_command: StartCommand, scale: Scale
) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    runs, killed = run_shared(start_command, tmp_path, uri, "mmclf", scale.sharing)
    finished = [run for run in runs if run.status == "FINISHED"]
    cells = Counter((run.tags["mmclf.arm"], run.tags["mmclf.seed"]) for run in finished)
    assert len(cells) == scale.sharing**2
    assert set(cells.values()) == {1}
    assert {run.status for run in runs} <= {"FINISHED", "KILLED"}
    # What a killed process was at is the only thing that was begun twice.
    assert len(runs) - len(finished) <= killed
