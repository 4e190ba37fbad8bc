"""The job of a batch system that this process is of, and whether a job is over: Slurm, Ray."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

JOB_TAG, LOG_TAG = "mmclf.job", "mmclf.log"
SLURM = re.compile(r"slurm (?P<job>[0-9]{1,18})(_[0-9]{1,9})?")
RAY = re.compile(r"ray [0-9a-f]{12}_[0-9]{1,9}")
RAY_VARIABLES = ("MMCLF_RAY_JOB", "MMCLF_RAY_RESTARTS")
ASK_S = 30.0


@dataclass(frozen=True)
class BatchJob:
    """A job.

    Args:
        name: as `slurm 12_0`, the same when it is requeued.
        restarts: how often it was.
        log: the file of what it prints, empty where that is not known.

    """

    name: str
    restarts: int
    log: str

    @property
    def tags(self) -> dict[str, str]:
        """Of its run, by which the job and its log are found."""
        return {JOB_TAG: self.name} | ({LOG_TAG: self.log} if self.log else {})


def task_variables(name: str, restarts: int) -> dict[str, str]:
    """Environment variables by which a process finds that it is at this task of Ray."""
    return dict(zip(RAY_VARIABLES, (name, str(restarts)), strict=True))


def batch_job() -> BatchJob | None:
    """The job that this process is of; None outside of one."""
    task, again = (os.environ.get(name, "") for name in RAY_VARIABLES)
    # Before Slurm, as a cluster of Ray may be one job of it.
    if RAY.fullmatch(f"ray {task}") and again.isdecimal():
        return BatchJob(f"ray {task}", int(again), "")
    job, array = (os.environ.get(f"SLURM_{name}", "") for name in ("JOB_ID", "ARRAY_JOB_ID"))
    task, restarts = (
        os.environ.get(f"SLURM_{name}", "") for name in ("ARRAY_TASK_ID", "RESTART_COUNT")
    )
    if not job.isdecimal():
        return None
    name = f"{array}_{task}" if array.isdecimal() and task.isdecimal() else job
    return BatchJob(f"slurm {name}", int(restarts) if restarts.isdecimal() else 0, _log_file())


def is_in_queue(name: str) -> bool:
    """Whether a job, or another of its array, waits or runs; True if nobody can say.

    A task of Ray ends with the command that began it, which alone asks.
    """
    if RAY.fullmatch(name):
        return False
    match = SLURM.fullmatch(name)
    squeue = shutil.which("squeue")
    if match is None or squeue is None:
        return True
    try:
        asked = subprocess.run(  # noqa: S603
            [squeue, "--noheader", f"--jobs={match['job']}", "--format=%T"],
            check=False,
            capture_output=True,
            text=True,
            timeout=ASK_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    if asked.returncode != 0:
        # It forgets jobs a while after their end.
        return "Invalid job id" not in asked.stderr
    return any(
        state in ("PENDING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED")
        or state.startswith("CONFIG")
        for state in asked.stdout.split()
    )


def _log_file() -> str:
    """Where submitit's worker prints to; empty if this is none."""
    if "SUBMITIT_EXECUTOR" not in os.environ or "submitit" not in sys.modules:
        return ""
    environment = sys.modules["submitit"].JobEnvironment()
    return str(environment.paths.stdout)
