"""Jobs as tasks of Ray: each with its share of a node, and begun again if its node dies."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import ray
from hydra.core.utils import JobReturn

from mmclf.cli.ray_cluster import Share
from mmclf.cli.worker_job import WorkerJobs
from mmclf.errors import InputError, tell

MOST_RESTARTS = 3  # of a job whose process or node dies
END_S = 30.0  # for runs that are interrupted to say so


def run_tasks(
    jobs: WorkerJobs, overrides: Sequence[Sequence[str]], first: int, share: Share
) -> list[JobReturn]:
    """Run a job for each list of overrides, numbered from `first` on; what each returned, in order.

    A job whose process or node dies is begun again elsewhere. Raises InputError if no node has what
    a run is to have, and the error of a job that could not be run, after the others' end.
    """
    lacks = share.lacks([node["Resources"] for node in ray.nodes() if node["Alive"]])
    if lacks is not None:
        raise InputError(
            f"hydra.launcher: no node has {lacks} for a run: give less by hydra.launcher.num_cpus "
            "and hydra.launcher.num_gpus, which may be parts, as 0.5"
        )
    # Begun again here, as the job is to know of it.
    task = ray.remote(num_cpus=share.num_cpus, num_gpus=share.num_gpus, max_retries=0)(_run)
    common = ray.put(jobs)

    def start(index: int, restarts: int) -> Any:
        return task.remote(common, first + index, list(overrides[index]), restarts)

    going = {start(index, 0): (index, 0) for index in range(len(overrides))}
    returned: dict[int, JobReturn] = {}
    errors: list[Exception] = []
    try:
        while going:
            (done,), _ = ray.wait(list(going), num_returns=1)
            index, restarts = going.pop(done)
            try:
                returned[index] = ray.get(done)
            except ray.exceptions.RayTaskError as error:
                errors.append(error.cause if isinstance(error.cause, Exception) else error)
            except ray.exceptions.RayError as error:
                if restarts == MOST_RESTARTS:
                    errors.append(error)
                    continue
                tell(f"job {first + index} is begun again, Ray says {type(error).__name__}")
                going[start(index, restarts + 1)] = (index, restarts + 1)
    except BaseException:
        _interrupt(list(going))
        raise
    if errors:
        raise errors[0]
    return [returned[index] for index in range(len(overrides))]


def _run(jobs: WorkerJobs, number: int, overrides: list[str], restarts: int) -> JobReturn:
    return jobs.run(number, overrides, restarts)


def _interrupt(tasks: list[Any]) -> None:
    """Let the runs that go on end as interrupted ones do, and the others never begin."""
    with suppress(ray.exceptions.RayError):
        for task in tasks:
            ray.cancel(task)
        ray.wait(tasks, num_returns=len(tasks), timeout=END_S)
