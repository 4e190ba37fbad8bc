"""Sweeps and studies on a real Ray of two nodes, one of which dies; shares of cores and GPUs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ray_engine import add_second, ray_cluster
from waiting_command import WAIT_S, Command

from mmclf.errors import InputError

pytestmark = pytest.mark.engine

SMALL = (
    *("vision=none", "text=tfidf", "device=cpu", "head.hidden=16"),
    *("data.train=60", "data.test=20", "trainer.epochs=2"),
)
# Long enough to be caught in the middle.
LONG = (*SMALL, "trainer.epochs=400", "trainer.patience=null")
ON_RAY = ("hydra/launcher=ray",)
NUMBERS = ("train/loss", "val/loss", "test/loss", "train/map", "val/map", "test/map")


@pytest.fixture(scope="module", autouse=True)
def nodes() -> Iterator[Any]:
    with ray_cluster() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.slow
def test_the_numbers_are_those_of_every_other_launcher(tmp_path: Path) -> None:
    launchers = {
        "basic": (),
        "joblib": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        "submitit": ("hydra/launcher=submitit_local",),
        "ray": ON_RAY,
    }
    numbers = {}
    for name, words in launchers.items():
        command = Command(tmp_path / name, "-m", *SMALL, "seed=0,1", *words)
        command.ends_with(0)
        numbers[name] = {
            run.tags["mmclf.seed"]: [run.metrics[number] for number in NUMBERS]
            for run in command.runs()
        }
    assert numbers["basic"].keys() == {"0", "1"}
    assert all(found == numbers["basic"] for found in numbers.values())


@pytest.mark.slow
def test_the_run_of_a_node_that_dies_goes_on_elsewhere(tmp_path: Path, nodes: Any) -> None:
    command = Command(tmp_path, "-m", *LONG, "seed=0,1", *ON_RAY)
    before = command.running(2)  # one on each node, as each has one core
    nodes.remove_node(nodes.second, allow_graceful=False)
    try:
        command.ends_with(0)
    finally:
        add_second(nodes)
    after = command.runs()
    assert {run.id for run in after} == {run.id for run in before}
    assert Counter(run.status for run in after) == {"FINISHED": 2}


@pytest.mark.slow
def test_a_study_whose_driver_dies_is_resumed_by_the_same_command(tmp_path: Path) -> None:
    words = (*SMALL, "study=threshold", "study.seeds=1", *ON_RAY)
    command = Command(tmp_path, *words)
    deadline = time.monotonic() + WAIT_S
    while "FINISHED" not in (seen := Counter(run.status for run in command.runs())):
        assert time.monotonic() < deadline, command.out.read_text()
        time.sleep(0.2)
    assert seen["FINISHED"] < 7
    command.process.send_signal(signal.SIGKILL)
    command.process.wait()
    Command(tmp_path, *words).ends_with(0)
    runs = command.runs()
    assert {run.status for run in runs} <= {"FINISHED", "KILLED"}
    finished = Counter(run.tags["mmclf.arm"] for run in runs if run.status == "FINISHED")
    assert set(finished.values()) == {1}
    assert len(finished) == 7


@pytest.mark.slow
def test_an_interrupted_sweep_leaves_nothing_running(tmp_path: Path) -> None:
    command = Command(tmp_path, "-m", *LONG, "trainer.epochs=3000", "seed=0,1", *ON_RAY)
    command.running(2)
    command.process.send_signal(signal.SIGTERM)
    command.ends_with(130)
    assert Counter(run.status for run in command.runs()) == {"KILLED": 2}


@pytest.mark.slow
def test_parts_of_a_core_let_more_runs_go_on_at_once(tmp_path: Path) -> None:
    words = ("hydra/launcher=gpus", "hydra.launcher.address=auto", "hydra.launcher.num_gpus=0")
    command = Command(tmp_path, "-m", *LONG, "seed=0,1,2", *words, "hydra.launcher.num_cpus=0.5")
    command.running(3)
    command.process.send_signal(signal.SIGTERM)
    command.ends_with(130)


@dataclass(frozen=True)
class Seen:
    """In place of jobs: what a job sees of its node, and when."""

    dies: bool = False

    def run(self, number: int, overrides: list[str], restarts: int) -> Any:
        if self.dies and (restarts == 0 or number == 9):
            os.kill(os.getpid(), signal.SIGKILL)
        if overrides == ["fail"]:
            raise InputError("it fails")
        began = time.monotonic()
        time.sleep(1)
        device = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        return number, restarts, device, began, time.monotonic()


def seen(jobs: Seen, overrides: list[list[str]], first: int, cpus: float, gpus: float) -> list[Any]:
    import ray

    from mmclf.cli.ray_cluster import Share, cluster
    from mmclf.cli.ray_tasks import run_tasks

    # No worker has this file's folder on its path.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    stand_in: Any = jobs
    with cluster("auto"):
        return run_tasks(stand_in, overrides, first, Share(cpus, gpus))


def test_each_gpu_has_one_run_at_a_time() -> None:
    found = seen(Seen(), [[]] * 5, 3, 0, 1)
    assert [number for number, *_ in found] == [3, 4, 5, 6, 7]
    assert {device for _, _, device, *_ in found} == {"0", "1"}
    for own in ("0", "1"):
        times = sorted((began, end) for *_, device, began, end in found if device == own)
        assert all(end <= after for (_, end), (after, _) in pairwise(times))


def test_a_job_whose_process_dies_is_begun_again_and_knows_it() -> None:
    found = seen(Seen(dies=True), [[]] * 2, 0, 0.5, 0)
    assert [(number, restarts) for number, restarts, *_ in found] == [(0, 1), (1, 1)]


def test_a_job_that_kills_each_process_is_given_up() -> None:
    import ray

    with pytest.raises(ray.exceptions.RayError):
        seen(Seen(dies=True), [[]], 9, 0.5, 0)


def test_a_job_that_cannot_be_run_stops_no_other_and_is_told() -> None:
    with pytest.raises(InputError, match="it fails"):
        seen(Seen(), [["fail"], []], 0, 0.5, 0)


def test_more_than_any_node_has_is_refused() -> None:
    with pytest.raises(InputError, match="3 GPU"):
        seen(Seen(), [[]], 0, 0, 3)
