"""A study has one parent run, however many processes begin it at once on a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from small_studies import LOSSES, SMALL, own_study

from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies import parent
from mmclf.studies.arms import PlannedStudy, compose_study
from mmclf.studies.fingerprint import StudyFingerprint
from mmclf.studies.parent import AGREED_TAG, KEY_TAG, find_parent, open_parent

# They wait for each other by the clock.
pytestmark = pytest.mark.slow

DATA = StudyFingerprint(data="d", whole="w")


class Study:
    """One study in one tracking store, which is taken for that of a server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        conf = own_study(folder, LOSSES)
        self.planned: PlannedStudy = compose_study(["study=mine", *SMALL], conf)
        self.tracker()

    def tracker(self) -> Tracker:
        return Tracker(f"sqlite:///{self._folder}/mlflow.db", "mmclf", self._folder)

    def open(self, tracker: Tracker | None = None) -> str:
        tracker = tracker if tracker is not None else self.tracker()
        return open_parent(tracker, self.planned, "mmclf study=mine", DATA).id

    def parents(self) -> list[TrackedRun]:
        """Those that were not discarded."""
        return self.tracker().runs()


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(parent, "sqlite_file", lambda _: None)
    monkeypatch.setattr(parent, "SETTLE_S", 1.0)
    monkeypatch.setattr(parent, "POLL_S", 0.05)
    return Study(tmp_path)


def slowed(tracker: Tracker, monkeypatch: pytest.MonkeyPatch, pause: Callable[[], None]) -> None:
    """Let the tracker take longer to answer that a run has started."""
    start = tracker.start

    def slow(*args: Any) -> Any:
        log = start(*args)
        pause()
        return log

    monkeypatch.setattr(tracker, "start", slow)


def test_those_that_begin_at_once_agree_on_one(study: Study) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: study.open(), range(4)))
    assert len(ids) == 1
    assert [run.id for run in study.parents()] == [*ids]


def test_who_comes_later_joins_no_parent_that_may_be_discarded(study: Study) -> None:
    key = study.open()
    tags = {KEY_TAG: study.parents()[0].tags[KEY_TAG]}
    study.tracker().discard(key)
    doubtful = study.tracker().start("study: mine", tags, None).id
    with ThreadPoolExecutor(1) as pool:
        joined = pool.submit(study.open)
        time.sleep(0.5)
        assert not joined.done()
        chosen = study.tracker().start("study: mine", {**tags, AGREED_TAG: "true"}, None).id
        study.tracker().discard(doubtful)
        assert joined.result() == chosen
    assert [run.id for run in study.parents()] == [chosen]


def test_one_whose_maker_takes_long_is_joined_when_it_is_agreed_on(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = study.tracker()
    slowed(first, monkeypatch, lambda: time.sleep(0.5))
    with ThreadPoolExecutor(2) as pool:
        begun = pool.submit(study.open, first)
        while not study.parents():
            time.sleep(0.02)
        assert AGREED_TAG not in study.parents()[0].tags
        joined = pool.submit(study.open)
    assert joined.result() == begun.result()
    assert len(study.parents()) == 1


def test_one_that_is_agreed_on_stays_though_another_has_a_lesser_id(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = study.tracker()
    key = study.open()
    # As another process sees it that had looked before: nothing there, then both.
    looks: Iterator[list[TrackedRun] | None] = iter([[], None, None])
    tagged = tracker.tagged

    def late(*args: Any, **settings: Any) -> list[TrackedRun]:
        look = next(looks)
        return look if look is not None else tagged(*args, **settings)

    monkeypatch.setattr(tracker, "tagged", late)
    assert study.open(tracker) == key
    assert [run.id for run in study.parents()] == [key]


def test_one_that_a_dead_process_left_is_joined(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = study.open()
    tags = {KEY_TAG: study.parents()[0].tags[KEY_TAG]}
    study.tracker().discard(key)
    left = study.tracker().start("study: mine", tags, None).id
    with ThreadPoolExecutor(1) as pool:
        joined = pool.submit(study.open)
        time.sleep(0.5)
        assert not joined.done()
        monkeypatch.setattr(parent, "LEFT_S", 0.0)
        assert joined.result() == left


@pytest.mark.parametrize("status", ["FINISHED", "FAILED", "KILLED"])
def test_one_that_has_ended_is_opened_again(study: Study, status: Any) -> None:
    key = study.open()
    study.tracker().log_of(key).end(status)
    study.tracker().client.delete_tag(key, AGREED_TAG)  # as runs of earlier versions are
    assert study.open() == key
    actual = find_parent(study.tracker(), study.planned, DATA)
    assert actual is not None
    assert (actual.id, actual.status) == (key, "RUNNING")
