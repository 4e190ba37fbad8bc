"""Leases: of several that want a cell one gets it; who was taken over does not finish."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from mmclf.errors import TakenOverError
from mmclf.storage.process_identity import this_process
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.leases import Attempt, Lease, Leases, Watch, cell_of

CELL, OTHER = cell_of("bce", 0), cell_of("bce", 1)
ELSEWHERE = Attempt(CELL, 1, "host/another-boot/7/99/", None, "")


@pytest.fixture
def leases(tmp_path: Path) -> Leases:
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    return tracker.leases(tracker.start("study", {}, None).id)


@pytest.fixture
def held(leases: Leases) -> Lease:
    lease = leases.take(CELL, None)
    assert lease is not None
    return lease


def test_cells_have_names_of_their_own() -> None:
    names = {cell_of(arm, seed) for arm in ("a", "b", "a1") for seed in (0, 1, 10)}
    assert len(names) == 9


def test_nobody_is_at_a_cell_of_a_new_study(leases: Leases) -> None:
    assert leases.attempts() == {}


def test_a_taken_cell_names_its_process(leases: Leases, held: Lease) -> None:
    attempt = Attempt(CELL, 1, this_process(), None, "")
    assert leases.attempts() == {CELL: attempt}
    assert held.name == attempt.name
    assert not attempt.owner_is_gone


def test_of_many_that_want_a_cell_at_once_one_gets_it(leases: Leases) -> None:
    many = 8
    barrier = Barrier(many)

    def want(number: int) -> bool:
        rival = Leases(leases._client, leases._experiment_id, leases.parent)
        barrier.wait()
        # As if each were a process of its own.
        return rival._write_once(f"lease.{CELL}.1", f"host/boot-{number}/1/1/")

    with ThreadPoolExecutor(many) as pool:
        assert sum(pool.map(want, range(many))) == 1


def test_what_was_taken_is_not_taken_again(leases: Leases, held: Lease) -> None:
    leases._write_once(f"lease.{OTHER}.1", ELSEWHERE.owner)
    assert leases.take(OTHER, None) is None


@pytest.mark.parametrize("how", ["done", "failed"])
def test_an_attempt_that_has_ended_is_followed_by_the_next(
    how: str, leases: Leases, held: Lease
) -> None:
    assert leases.end(CELL, 1, how)  # type: ignore[arg-type]
    latest = leases.attempts()[CELL]
    assert latest.end == how
    following = leases.take(CELL, latest)
    assert following is not None
    assert following.number == 2
    assert leases.attempts()[CELL].number == 2
    assert leases.take(CELL, latest) is not None  # this process's own again
    leases._write_once(f"lease.{CELL}.3", ELSEWHERE.owner)
    assert leases.take(CELL, replace(latest, number=2)) is None


def test_a_dead_attempt_is_revoked_by_who_follows(leases: Leases) -> None:
    leases._write_once(f"lease.{CELL}.1", ELSEWHERE.owner)
    assert leases.take(CELL, ELSEWHERE) is not None
    assert not leases.end(CELL, 1, "done")


def test_what_has_finished_meanwhile_is_not_followed(leases: Leases) -> None:
    leases._write_once(f"lease.{CELL}.1", ELSEWHERE.owner)
    assert leases.end(CELL, 1, "done")
    assert leases.take(CELL, ELSEWHERE) is None


def test_who_was_taken_over_does_not_finish(leases: Leases, held: Lease) -> None:
    assert leases.end(CELL, 1, "revoked")
    with pytest.raises(TakenOverError):
        held.finish(0.0)


def test_who_finishes_is_not_taken_over(leases: Leases, held: Lease) -> None:
    held.finish(0.0)
    assert not leases.end(CELL, 1, "revoked")
    held.finish(0.0)  # once more changes nothing


@pytest.mark.parametrize(
    ("error", "how"),
    [(None, "done"), (ValueError, "failed"), (KeyboardInterrupt, "interrupted")],
)
def test_the_end_of_the_block_ends_the_attempt(
    error: type[BaseException] | None, how: str, leases: Leases, held: Lease
) -> None:
    try:
        with held:
            if error is not None:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    assert leases.attempts()[CELL].end == how


def test_a_process_that_goes_on_says_so(
    leases: Leases, held: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmclf.storage.tracking.leases.BEAT_S", 0.01)
    with held:
        beats = _beats(leases)
        first = next(beats)
        assert int(next(beat for beat in beats if beat != first)) > int(first)
    ended = leases.attempts()[CELL]
    assert (ended.end, ended.beat) == ("done", "")  # nor is a tag left on the parent's page


def _beats(leases: Leases) -> Iterator[str]:
    """The heartbeats, without the time before the first."""
    while True:
        beat = leases.attempts()[CELL].beat
        if beat:
            yield beat


def test_an_attempt_without_a_heartbeat_is_dead_by_the_watchs_own_clock() -> None:
    watch = Watch(60.0)
    assert watch.dead([ELSEWHERE], 1000.0) == []
    assert watch.dead([ELSEWHERE], 1059.9) == []
    assert watch.dead([ELSEWHERE], 1060.0) == [ELSEWHERE]


def test_a_heartbeat_begins_the_wait_anew() -> None:
    watch, later = Watch(60.0), replace(ELSEWHERE, beat="1")
    watch.dead([ELSEWHERE], 0.0)
    assert watch.dead([later], 59.0) == []
    assert watch.dead([later], 118.9) == []
    assert watch.dead([later], 119.0) == [later]
    # It was away from the list for a while: it is seen anew.
    watch.dead([], 120.0)
    assert watch.dead([later], 121.0) == []
