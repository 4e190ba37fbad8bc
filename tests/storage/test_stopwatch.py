from __future__ import annotations

import time

import pytest

from mmclf.storage.stopwatch import Stopwatch


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_stages_add_up(clock: Clock) -> None:
    watch = Stopwatch()
    for seconds in (2.0, 3.0):
        with watch.stage("fit"):
            clock.now += seconds
        clock.now += 10
    with watch.stage("decide"):
        clock.now += 0.5
    assert watch.seconds == {"fit": 5.0, "decide": 0.5}
    assert watch.elapsed() == 25.5


def test_seconds_can_be_taken_off(clock: Clock) -> None:
    watch = Stopwatch()
    watch.add("fit", 5.0)
    watch.add("fit", -1.5)
    assert watch.seconds == {"fit": 3.5}


def test_a_stage_that_fails_is_timed(clock: Clock) -> None:
    watch = Stopwatch()

    def fail() -> None:
        clock.now += 1
        raise RuntimeError

    with pytest.raises(RuntimeError), watch.stage("fit"):
        fail()
    assert watch.seconds == {"fit": 1.0}
