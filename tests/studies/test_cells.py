"""The cells of a study: which are done, held and free, and running what no other process is at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from mmclf.storage.process_identity import this_process
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.leases import LEASE_TAG, Leases, cell_of
from mmclf.studies import cells
from mmclf.studies.cells import claim_cell, end_abandoned_runs, read_cells, run_cells
from mmclf.studies.run_key import RunKey

A, B, C = RunKey("bce", 0), RunKey("focal", 0), RunKey("focal", 1)
BOTH = (A, B)
ELSEWHERE = "host/another-boot/7/99/"
GONE = "/".join([*this_process().split("/")[:2], "1", "0", ""])  # no process has started then


class Study:
    """A study's parent run, and what processes do with its cells."""

    def __init__(self, folder: Path) -> None:
        self.tracker = Tracker(f"sqlite:///{folder}/mlflow.db", "mmclf", folder)
        self.parent = self.tracker.start("study", {}, None).id

    def begin(self, key: RunKey, owner: str, attempt: int = 1) -> None:
        """Take a cell as another process."""
        name = f"lease.{cell_of(*key)}.{attempt}"
        self.tracker.client.log_param(self.parent, name, owner)

    def end(self, key: RunKey, how: str, attempt: int = 1) -> None:
        name = f"lease.{cell_of(*key)}.{attempt}.end"
        self.tracker.client.log_param(self.parent, name, how)

    def start(self, key: RunKey, attempt: int | None = 1) -> str:
        """Start the run of a cell."""
        tags = {"mmclf.arm": key.arm, "mmclf.seed": str(key.seed)}
        if attempt is not None:
            tags[LEASE_TAG] = f"{cell_of(*key)}.{attempt}"
        return self.tracker.start("run", tags, self.parent).id

    def finish(self, key: RunKey) -> None:
        self.tracker.log_of(self.start(key, None)).end("FINISHED")

    def state(self, key: RunKey) -> str:
        cells = read_cells(self.tracker, self.parent, BOTH)
        names = ("done", "held", "free")
        (state,) = [name for name in names if key in getattr(cells, name)]
        return state

    def status(self, run: str) -> str:
        return self.tracker.get([run])[0].status


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def test_what_nobody_has_begun_is_free(study: Study) -> None:
    assert study.state(A) == "free"


@pytest.mark.parametrize("owner", [this_process(), ELSEWHERE], ids=["here", "elsewhere"])
def test_what_a_living_process_is_at_is_held_by_it(owner: str, study: Study) -> None:
    study.begin(A, owner)
    assert study.state(A) == "held"
    assert study.state(B) == "free"


def test_what_a_dead_process_was_at_is_free(study: Study) -> None:
    study.begin(A, GONE)
    assert study.state(A) == "free"


def test_a_finished_run_is_done_whoever_is_at_it(study: Study) -> None:
    study.finish(A)
    assert study.state(A) == "done"
    study.begin(A, ELSEWHERE)
    assert study.state(A) == "done"


def test_who_has_settled_to_finish_holds_it_until_the_run_has_ended(study: Study) -> None:
    study.begin(A, ELSEWHERE)
    run = study.start(A)
    study.end(A, "done")
    assert study.state(A) == "held"
    study.tracker.log_of(run).end("FAILED")  # its last words were refused
    assert study.state(A) == "free"


@pytest.mark.parametrize("how", ["failed", "interrupted", "revoked"])
def test_what_ended_unfinished_is_free(how: str, study: Study) -> None:
    study.begin(A, ELSEWHERE)
    study.start(A)
    study.end(A, how)
    assert study.state(A) == "free"
    study.begin(A, ELSEWHERE, 2)
    assert study.state(A) == "held"


def test_runs_of_dead_processes_alone_are_ended(study: Study) -> None:
    study.begin(A, GONE)
    study.begin(B, ELSEWHERE)
    dead, alive, old = study.start(A), study.start(B), study.start(A, None)
    end_abandoned_runs(study.tracker, read_cells(study.tracker, study.parent, BOTH))
    assert [study.status(run) for run in (dead, alive, old)] == ["KILLED", "RUNNING", "KILLED"]


@pytest.mark.parametrize("owner", [None, GONE, ELSEWHERE], ids=["nobody", "dead", "alive"])
@pytest.mark.parametrize("is_finished", [False, True], ids=["unfinished", "finished"])
def test_a_job_takes_its_cell_where_it_is_free(
    owner: str | None, is_finished: bool, study: Study
) -> None:
    if owner is not None:
        study.begin(A, owner)
    if is_finished:
        study.finish(A)
    study.finish(B)
    state = study.state(A)
    claim = claim_cell(study.tracker, study.parent, A)
    assert claim.is_elsewhere == (state != "free") == (claim.lease is None)
    if claim.lease is not None:
        assert claim.lease.name == f"{cell_of(*A)}.{1 if owner is None else 2}"
        assert study.state(A) == "held"
        assert claim_cell(study.tracker, study.parent, A).is_elsewhere


def test_a_process_that_failed_at_a_cell_takes_it_as_another_attempt(study: Study) -> None:
    study.begin(A, this_process())
    study.end(A, "failed")
    lease = claim_cell(study.tracker, study.parent, A).lease
    assert lease is not None
    assert lease.number == 2


def test_what_a_job_reads_to_begin_does_not_grow_with_the_study(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(1, 4):
        study.finish(RunKey("bce", seed))
        study.begin(RunKey("bce", seed), GONE)
    read: list[int] = []
    search = study.tracker.client.search_runs

    def counted(*given: Any, **named: Any) -> Any:
        actual = search(*given, **named)
        read.append(len(actual))
        return actual

    monkeypatch.setattr(study.tracker.client, "search_runs", counted)
    monkeypatch.setattr(study.tracker.client, "get_run", None)  # of the parent, all parameters
    assert claim_cell(study.tracker, study.parent, A).lease is not None
    assert sum(read) == 0


def _jobs(study: Study, does: Sequence[Callable[[], None]]) -> tuple[cells.RunJobs, list[int]]:
    """Jobs that do one thing after another, and a list that grows with each."""
    times: list[int] = []

    def run_jobs(_tracker: Tracker, parent: str, _count: int) -> None:
        assert parent == study.parent
        times.append(len(times))
        does[times[-1]]()

    return run_jobs, times


def test_what_is_free_is_run_once(study: Study) -> None:
    def both() -> None:
        study.finish(A)
        study.finish(B)

    run_jobs, times = _jobs(study, [both])
    assert run_cells(study.tracker, study.parent, BOTH, run_jobs) is None
    assert len(times) == 1


def test_nothing_is_run_where_all_is_done(study: Study) -> None:
    study.finish(A)
    study.finish(B)
    run_jobs, times = _jobs(study, [])
    run_cells(study.tracker, study.parent, BOTH, run_jobs)
    assert times == []


def test_what_fails_is_not_tried_again_by_the_same_command(study: Study) -> None:
    def fail() -> None:
        study.finish(A)
        study.begin(B, this_process())
        study.end(B, "failed")

    run_jobs, times = _jobs(study, [fail])
    run_cells(study.tracker, study.parent, BOTH, run_jobs)
    assert len(times) == 1


def test_what_was_interrupted_elsewhere_meanwhile_is_run_here(study: Study) -> None:
    def leave() -> None:
        study.finish(A)
        study.begin(B, ELSEWHERE)
        study.end(B, "interrupted")

    run_jobs, times = _jobs(study, [leave, lambda: study.finish(B)])
    assert run_cells(study.tracker, study.parent, BOTH, run_jobs) is None
    assert len(times) == 2


def test_what_cannot_begin_is_not_tried_for_ever(study: Study) -> None:
    run_jobs, times = _jobs(study, [lambda: None])
    run_cells(study.tracker, study.parent, BOTH, run_jobs)
    assert len(times) == 1


def test_jobs_that_stop_with_an_error_hand_it_on(study: Study) -> None:
    error = ValueError("stopped")
    assert run_cells(study.tracker, study.parent, BOTH, lambda *_: error) is error


def test_the_cell_of_a_process_that_dies_is_taken_over(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.begin(B, ELSEWHERE)
    left = study.start(B)
    monkeypatch.setattr(cells, "POLL_S", 0.001)
    monkeypatch.setattr(cells, "STALE_S", 0.0)
    run_jobs, times = _jobs(study, [lambda: study.finish(A), lambda: study.finish(B)])
    run_cells(study.tracker, study.parent, BOTH, run_jobs)
    assert len(times) == 2
    assert study.status(left) == "KILLED"
    assert study.state(B) == "done"


def test_a_cell_that_kills_whoever_tries_it_is_left(study: Study) -> None:
    def die() -> None:
        study.begin(B, GONE, len(times))

    run_jobs, times = _jobs(study, [die] * 9)
    study.finish(A)
    run_cells(study.tracker, study.parent, BOTH, run_jobs)
    assert len(times) == cells.MOST_ATTEMPTS


def test_while_it_waits_it_reads_the_held_cells_alone_and_ends_no_attempt_that_has_ended(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.begin(A, this_process())
    study.end(A, "done")
    study.finish(A)
    study.begin(B, ELSEWHERE)
    asked, ended = list[dict[str, str]](), list[str]()
    children, end = Tracker.children, Leases.end

    def counted(tracker: Tracker, parent: str, tags: Any = MappingProxyType({})) -> Any:
        asked.append(dict(tags))
        if len(asked) == 4:
            study.finish(B)
        return children(tracker, parent, tags)

    def recorded(leases: Leases, cell: str, number: int, how: Any) -> bool:
        ended.append(cell)
        return end(leases, cell, number, how)

    monkeypatch.setattr(Tracker, "children", counted)
    monkeypatch.setattr(Leases, "end", recorded)
    monkeypatch.setattr(cells, "PAUSES_A_LOOK", 0.0)
    monkeypatch.setattr(cells, "POLL_S", 0.001)
    assert run_cells(study.tracker, study.parent, BOTH, lambda *_: None) is None
    of_b = {"mmclf.arm": B.arm, "mmclf.seed": str(B.seed)}
    assert asked == [{}, of_b, of_b, of_b, {}]
    assert ended == []
    study.begin(C, ELSEWHERE)
    monkeypatch.setattr(cells, "STALE_S", 0.0)
    run_cells(study.tracker, study.parent, [A, B, C], lambda *_: None)
    assert set(ended) == {cell_of(*C)}


def test_what_failed_here_and_is_begun_elsewhere_meanwhile_is_waited_for(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    study.begin(B, ELSEWHERE)
    looks = 0
    held = cells._read_held

    def look(*arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == 1:
            study.begin(A, ELSEWHERE, 2)
            study.finish(B)
        else:
            study.finish(A)
        return held(*arguments)

    def fail() -> None:
        study.begin(A, this_process())
        study.end(A, "failed")

    monkeypatch.setattr(cells, "_read_held", look)
    monkeypatch.setattr(cells, "POLL_S", 0.001)
    run_jobs, times = _jobs(study, [fail])
    run_cells(study.tracker, study.parent, BOTH, run_jobs)
    assert (len(times), looks) == (1, 2)
    assert study.state(A) == "done"
