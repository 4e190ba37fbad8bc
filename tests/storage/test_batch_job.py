"""Which job this process is of, by the environment that Slurm or a launcher on Ray sets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mmclf.storage.batch_job import BatchJob, batch_job, is_in_queue, task_variables
from mmclf.storage.process_identity import is_gone, this_process

NAME = "0123456789ab_7"


@pytest.fixture(autouse=True)
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        for name in (*task_variables("", 0), "SLURM_JOB_ID", "SUBMITIT_EXECUTOR"):
            patch.delenv(name, raising=False)
        yield patch


def be(patch: pytest.MonkeyPatch, restarts: int, name: str = NAME) -> None:
    for variable, value in task_variables(name, restarts).items():
        patch.setenv(variable, value)


def test_outside_of_any_there_is_none() -> None:
    assert batch_job() is None


@pytest.mark.parametrize("restarts", [0, 3])
def test_a_task_of_ray_keeps_its_name_when_it_is_begun_again(
    restarts: int, patch: pytest.MonkeyPatch
) -> None:
    be(patch, restarts)
    assert batch_job() == BatchJob(f"ray {NAME}", restarts, "")


def test_tasks_of_a_ray_inside_a_job_of_slurm_are_told_apart(patch: pytest.MonkeyPatch) -> None:
    patch.setenv("SLURM_JOB_ID", "15")
    be(patch, 0)
    assert batch_job() == BatchJob(f"ray {NAME}", 0, "")


@pytest.mark.parametrize("name", ["", "x", f"{NAME}\n", "0123456789ab_", "../../etc_1"])
def test_another_text_is_no_task(name: str, patch: pytest.MonkeyPatch) -> None:
    be(patch, 0, name)
    assert batch_job() is None


def test_a_task_of_ray_is_in_no_queue_that_outlives_its_command() -> None:
    assert not is_in_queue(f"ray {NAME}")
    assert is_in_queue("ray of light")  # nobody can say


def test_the_process_that_a_task_was_in_before_is_gone(patch: pytest.MonkeyPatch) -> None:
    be(patch, 0)
    _, _, pid, started, job = this_process().rsplit("/", 4)
    first = f"other/machine/{pid}/{started}/{job}"
    assert not is_gone(first)
    be(patch, 1)
    assert is_gone(first)
    be(patch, 1, "0123456789ab_8")
    assert not is_gone(first)
