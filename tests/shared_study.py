"""A study that several processes share, some of which are killed on the way."""

from __future__ import annotations

import random
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

from endurance_runs import StartCommand

from mmclf.storage.tracking import TrackedRun, Tracker

STUDY = """\
# @package _global_
defaults:
  - override /hydra/sweeper: study
study:
  question: Which rate?
  design: grid
  factors: {{optimizer.lr: [{rates}]}}
  seeds: {seeds}
"""
SMALL = (
    *("vision=none", "text=tfidf", "device=cpu", "head.hidden=16"),
    *("data.train=60", "data.test=20", "trainer.epochs=2"),
)


def run_shared(
    start_command: StartCommand, folder: Path, uri: str, experiment: str, many: int
) -> tuple[list[TrackedRun], int]:
    """So many processes with as many cells each; all but the first may be killed and begun again.

    Each has a store and an output folder of its own. Returns the study's runs, and how many
    processes were killed. Raises AssertionError unless each of the last ones exits with 0, and the
    study has one parent run.
    """
    conf = folder / "conf"
    (conf / "study").mkdir(parents=True)
    rates = ", ".join(str(0.001 * (1 + number)) for number in range(many))
    (conf / "study" / "rates.yaml").write_text(STUDY.format(rates=rates, seeds=many))
    tracking = (f"tracking.uri={uri}", f"tracking.experiment={experiment}")

    def start(number: int) -> BaseProcess:
        return start_command(
            folder / str(number), ("--config-dir", str(conf), "study=rates", *SMALL, *tracking)
        )

    processes = {number: start(number) for number in range(many)}
    chance, killed = random.Random(0), 0
    while killed < many - 1 and any(one.exitcode is None for one in processes.values()):
        time.sleep(chance.uniform(1, 4))
        number = chance.randrange(1, many)
        if processes[number].exitcode is None:
            processes[number].kill()
            processes[number].join()
            processes[number] = start(number)
            killed += 1
    for number, process in processes.items():
        process.join()
        log = folder / str(number) / f"{process.pid}.log"
        assert process.exitcode == 0, log.read_text()
    tracker = Tracker(uri, experiment, folder, create=False)
    (parent,) = [run for run in tracker.runs() if run.parent is None]
    return tracker.children(parent.id), killed
