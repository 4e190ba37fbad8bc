"""Which process a name means, and whether it is gone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mmclf.storage.process_identity import is_gone, this_process

SAY = "from mmclf.storage.process_identity import this_process; print(this_process())"


def test_this_process_is_not_gone_and_keeps_its_name() -> None:
    assert this_process() == this_process()
    assert not is_gone(this_process())


def test_a_process_that_has_ended_is_gone() -> None:
    done = subprocess.run([sys.executable, "-c", SAY], check=True, capture_output=True, text=True)
    name = done.stdout.strip()
    assert name != this_process()
    assert is_gone(name)


def test_a_process_with_the_number_of_one_that_ended_is_another() -> None:
    host, machine, number, started, job = this_process().rsplit("/", 4)
    assert is_gone(f"{host}/{machine}/{number}/{int(started) - 1}/{job}")


def test_what_became_of_a_process_of_another_machine_is_not_known() -> None:
    host, _, number, started, job = this_process().rsplit("/", 4)
    assert not is_gone(f"{host}/another-boot-1/{number}/{int(started) - 1}/{job}")


@pytest.mark.parametrize(
    ("job", "gone"),
    [
        ("slurm 12_3#0", True),
        ("slurm 12_3#1", True),
        ("slurm 12_3#2", False),
        ("slurm 12_3#3", False),
        ("slurm 12_4#0", False),
        ("slurm 11#0", False),
        ("", False),
    ],
)
def test_what_a_requeued_job_was_before_is_gone(
    job: str, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "15")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "2")
    assert this_process().endswith("/slurm 12_3#2")
    assert is_gone(f"node7/another-boot-1/4711/99/{job}") is gone


@pytest.mark.parametrize("name", ["", "host", "host/machine/1", "a/b/c/d/", "a/b/-1/2/"])
def test_other_text_names_no_process(name: str) -> None:
    assert not is_gone(name)
