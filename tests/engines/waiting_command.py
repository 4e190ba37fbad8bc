"""A command of mmclf that goes on while a test looks at its runs, and does things to them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from mmclf.storage.tracking import TrackedRun, Tracker

WAIT_S = 300.0


class Command:
    """A command with an output folder, and the runs below its parent run.

    Attributes:
        folder: of its output; is made if missing.
        out: the file of what it prints, after what earlier commands printed there.
        process: in which it runs.

    """

    def __init__(self, folder: Path, *words: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.out = folder, folder / "out"
        command = [sys.executable, "-m", "mmclf", *words, f"output_dir={folder}"]
        with self.out.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out)

    def runs(self) -> list[TrackedRun]:
        return child_runs(self.folder)

    def running(self, count: int) -> list[TrackedRun]:
        """So many runs that train at once, as soon as there are."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            training = [run for run in self.runs() if is_training(run)]
            if len(training) == count:
                return training
            time.sleep(0.5)
        raise AssertionError(self.out.read_text())

    def status(self) -> int:
        """How it ends."""
        try:
            return self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.out.read_text()) from None

    def ends_with(self, status: int) -> None:
        assert self.status() == status, self.out.read_text()


def child_runs(folder: Path) -> list[TrackedRun]:
    """The runs below a parent run in the database in `folder`; none without one."""
    if not (folder / "mlflow.db").is_file():
        return []
    tracker = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder, create=False)
    return [run for run in tracker.runs() if run.parent is not None]


def is_training(run: TrackedRun) -> bool:
    return run.status == "RUNNING" and "epoch/train/loss" in run.metrics
