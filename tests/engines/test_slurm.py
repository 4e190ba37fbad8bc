"""Sweeps and studies on a real Slurm: jobs that fail, are cancelled, preempted, requeued."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow_server import Server
from slurm_engine import slurm
from waiting_command import WAIT_S, Command, child_runs

from mmclf.storage.batch_job import JOB_TAG, LOG_TAG
from mmclf.storage.tracking import TrackedRun, Tracker

pytestmark = pytest.mark.engine

SMALL = (
    *("vision=none", "text=tfidf", "device=cpu", "head.hidden=16"),
    *("data.train=60", "data.test=20", "trainer.epochs=2"),
)
# Long enough to be caught in the middle.
LONG = (*SMALL, "trainer.epochs=3000", "trainer.patience=null")
LAUNCHER = (
    *("hydra/launcher=submitit_slurm", "hydra.launcher.partition=debug"),
    *("hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1", "hydra.launcher.timeout_min=20"),
)
ARRAY = Path(__file__).parents[2] / "deploy" / "slurm-array.sh"
BUSY_S = 30.0  # that Slurm may be busy with a job


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[Path]:
    with slurm() as folder:
        yield folder


def start(folder: Path, *words: str) -> Command:
    return Command(folder, *words, *LAUNCHER)


def scancel(*words: str) -> None:
    """Cancel or signal a job, again while Slurm says that it is busy with it.

    It also says so of a job that is being requeued, as it has got the signal.
    """
    deadline = time.monotonic() + BUSY_S
    command = ["scancel", *words]
    while True:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if "try again later" not in done.stderr:
            assert done.returncode == 0, done.stderr
            return
        if restarts(words[-1]) > 0:
            return
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.5)


def restarts(job: str) -> int:
    """How often Slurm has begun a job again, or is about to."""
    shown = subprocess.run(
        ["scontrol", "show", "job", job], stdout=subprocess.PIPE, text=True, check=True
    )
    counts = re.findall(r"Restarts=(\d+)", shown.stdout)
    return max(map(int, counts), default=0)


def job_of(run: TrackedRun) -> str:
    return run.tags[JOB_TAG].removeprefix("slurm ")


def test_a_sweep_is_an_array_whose_logs_are_found_and_has_the_numbers_of_one_process(
    tmp_path: Path,
) -> None:
    command = start(tmp_path, "-m", *SMALL, "seed=0,1")
    assert command.status() == 0, (tmp_path / "out").read_text()
    runs = command.runs()
    assert {run.status for run in runs} == {"FINISHED"}
    (first, second) = sorted(map(job_of, runs))
    assert first.removesuffix("_0") == second.removesuffix("_1")
    for run in runs:
        assert f"job_id={job_of(run)}" in Path(run.tags[LOG_TAG]).read_text()
    here = tmp_path / "here"
    words = ["-m", *SMALL, "seed=0,1", f"output_dir={here}"]
    subprocess.run([sys.executable, "-m", "mmclf", *words], check=True)
    alone = child_runs(here)
    names = ("train/loss", "val/loss", "test/loss", "test/map")
    assert sorted([run.metrics[name] for name in names] for run in runs) == sorted(
        [run.metrics[name] for name in names] for run in alone
    )


@pytest.mark.slow
def test_a_failed_job_stops_no_other(tmp_path: Path) -> None:
    command = start(tmp_path, "-m", *SMALL, "optimizer.lr=0.001,1e20")
    assert command.status() == 1
    assert sorted(run.status for run in command.runs()) == ["FAILED", "FINISHED"]


@pytest.mark.slow
def test_a_cancelled_job_leaves_nothing_running(tmp_path: Path) -> None:
    command = start(tmp_path, "-m", *LONG, "seed=0,1", "hydra.launcher.array_parallelism=2")
    first, second = command.running(2)
    scancel(job_of(first))
    time.sleep(2)
    scancel(job_of(second))
    assert command.status() == 1
    assert {run.status for run in command.runs()} == {"KILLED"}


# Slurm lets a requeued job wait for two minutes.
@pytest.mark.slow
@pytest.mark.parametrize("how", ["preempted", "requeued"])
def test_a_job_that_is_taken_away_goes_on_in_its_run(how: str, tmp_path: Path) -> None:
    command = start(tmp_path, "-m", *LONG, "trainer.epochs=400", "seed=0")
    (run,) = command.running(1)
    if how == "preempted":
        scancel("--signal=USR2", job_of(run))
    else:
        subprocess.run(["scontrol", "requeue", job_of(run)], check=True)
    assert command.status() == 0, (tmp_path / "out").read_text()
    (again,) = command.runs()
    assert (again.id, again.status) == (run.id, "FINISHED")


@pytest.mark.slow
def test_a_study_whose_job_is_preempted_finishes_each_cell_once(tmp_path: Path) -> None:
    words = ("study=threshold", "study.seeds=1", "trainer.epochs=200")
    command = start(tmp_path, *(word for word in SMALL if "epochs" not in word), *words)
    deadline = time.monotonic() + WAIT_S
    while not (running := [run for run in command.runs() if run.status == "RUNNING"]):
        assert time.monotonic() < deadline, (tmp_path / "out").read_text()
        time.sleep(0.2)
    scancel("--signal=USR2", job_of(running[0]))
    assert command.status() == 0, (tmp_path / "out").read_text()
    finished = [run.tags["mmclf.arm"] for run in command.runs() if run.status == "FINISHED"]
    assert len(finished) == len(set(finished)) == 7
    assert "RUNNING" not in {run.status for run in command.runs()}


@pytest.mark.slow
def test_an_array_without_hydra_shares_a_study_though_a_task_is_requeued(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    try:
        environment = os.environ | {
            "MLFLOW_TRACKING_URI": server.address,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        options = ("--wait", "--array=1-2", "--cpus-per-task=1", "--mem=1G", "--time=20")
        words = ("study=threshold", "study.seeds=2", "trainer.epochs=200")
        study = (*(word for word in SMALL if "epochs" not in word), *words)
        array = subprocess.Popen(
            ["sbatch", "--parsable", *options, str(ARRAY), *study],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert array.stdout is not None
        job = array.stdout.readline().strip()
        tracker = Tracker(server.address, "mmclf", tmp_path)

        def runs() -> list[TrackedRun]:
            return [run for run in tracker.runs() if run.parent is not None]

        deadline = time.monotonic() + WAIT_S
        while not (at := [run for run in runs() if run.status == "RUNNING"]):
            assert time.monotonic() < deadline, logs(tmp_path)
            time.sleep(0.2)
        subprocess.run(["scontrol", "requeue", job_of(at[0])], check=True)
        assert array.wait(2 * WAIT_S) == 0, logs(tmp_path)
        finished = [run for run in runs() if run.status == "FINISHED"]
        cells = [(run.tags["mmclf.arm"], run.tags["mmclf.seed"]) for run in finished]
        assert len({*cells}) == len(cells) == 14
        assert {run.status for run in runs()} <= {"FINISHED", "KILLED"}
        # Each task has a folder of its own, in the folder that the array was given from.
        assert {path.name for path in (tmp_path / "outputs").iterdir()} == {f"{job}-1", f"{job}-2"}
    finally:
        server.stop()


def logs(folder: Path) -> str:
    """What the tasks of an array printed."""
    return "\n".join(file.read_text() for file in sorted(folder.glob("mmclf-*.log")))
