"""Runs whose process is gone are marked as killed, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from message_facts import Naming

from mmclf.cli.main import main
from mmclf.storage.process_identity import this_process
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.dead_runs import PROCESS_TAG, end_dead_runs


def process(*, machine: str = "", is_over: bool = True) -> str:
    """The name of a process, of this machine unless another is named."""
    host, own, number, started, job = this_process().rsplit("/", 4)
    return f"{host}/{machine or own}/{number}/{int(started) - is_over}/{job}"


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    return Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)


def statuses(tracker: Tracker) -> dict[str, str]:
    return {run.name: run.status for run in tracker.runs()}


def test_only_the_runs_of_processes_that_are_gone_are_ended(tracker: Tracker) -> None:
    tags = {
        "dead": {PROCESS_TAG: process()},
        "alive": {PROCESS_TAG: process(is_over=False)},
        "elsewhere": {PROCESS_TAG: process(machine="another-boot-1")},
        "of a job": {PROCESS_TAG: process(), "mmclf.job": "slurm 12_0"},
        "of earlier versions": {},
        "odd": {PROCESS_TAG: "anything"},
    }
    for name, of_run in tags.items():
        tracker.start(name, of_run, None)
    tracker.start("ended", {PROCESS_TAG: process()}, None).end("FINISHED")
    said: list[str] = []
    (dead,) = end_dead_runs(tracker, said.append)
    assert dead.name == "dead"
    assert said == [Naming(dead.id[:8], "dead")]
    expected = dict.fromkeys(tags, "RUNNING") | {"dead": "KILLED", "ended": "FINISHED"}
    assert statuses(tracker) == expected
    assert end_dead_runs(tracker, said.append) == []
    assert len(said) == 1


def test_the_list_of_runs_marks_them(
    tracker: Tracker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker.start("dead", {PROCESS_TAG: process()}, None)
    assert main(["runs", f"output_dir={tmp_path}"]) == 0
    out, err = capsys.readouterr()
    assert "KILLED" in out
    assert err == Naming("dead")


def test_a_database_that_does_not_answer_is_left_alone(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker.start("dead", {PROCESS_TAG: process()}, None)

    def away(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(type(tracker.client), "search_runs", away)
    assert end_dead_runs(tracker) == []
