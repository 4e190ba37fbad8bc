"""Tracking: statuses, what is logged, and runs that start at once on a fresh database."""

from __future__ import annotations

import gc
import multiprocessing
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient
from opened_tracker import open_tracker

from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker, key_of

RACERS = 8


def race(folder: Path, number: int) -> None:
    with open_tracker(folder).run(f"run {number}", {"mmclf.seed": str(number)}, None) as log:
        for epoch in range(1, 6):
            log.curves({epoch: {"val/loss": number + epoch / 10, "val/map": 0.5}})


@pytest.mark.slow
def test_runs_that_start_at_once_on_a_fresh_database_are_all_there(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    racers = [context.Process(target=race, args=(tmp_path, i)) for i in range(RACERS)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0] * RACERS
    runs = open_tracker(tmp_path).runs()
    assert sorted(run.name for run in runs) == [f"run {i}" for i in range(RACERS)]
    for run in runs:
        assert run.status == "FINISHED"
        assert run.metrics == {
            "epoch/val/loss": pytest.approx(int(run.tags["mmclf.seed"]) + 0.5),
            "epoch/val/map": 0.5,
        }


def test_a_run_that_raises_is_failed_with_its_error(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    with pytest.raises(ArithmeticError), tracker.run("bad", {}, None):
        raise ArithmeticError("the loss is not finite")
    (run,) = tracker.runs()
    assert run.status == "FAILED"
    assert run.tags["mmclf.error"] == "ArithmeticError: the loss is not finite"


@pytest.mark.parametrize("arm", ["a, b=0.1", "it's", 'a "b" \\', "`c`", "é", ""])
def test_children_are_found_by_their_tags(arm: str, tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    parent, other = (tracker.start("parent", {}, None).id for _ in range(2))
    for of, name, seed in ((parent, arm, 0), (parent, arm, 1), (parent, "B", 0), (other, arm, 0)):
        tracker.start("run", {"mmclf.arm": name, "mmclf.seed": str(seed)}, of)
    (child,) = tracker.children(parent, {"mmclf.arm": arm, "mmclf.seed": "0"})
    assert (child.parent, child.tags["mmclf.arm"], child.tags["mmclf.seed"]) == (parent, arm, "0")
    assert len(tracker.children(parent, {"mmclf.seed": "0"})) == 2
    assert tracker.children(parent, {"mmclf.arm": "b"}) == []


def test_tagged_runs_are_asked_for_as_narrowly_as_told(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    early = tracker.start("early", {"mmclf.study": "x", "mmclf.study_key": "k"}, None)
    time.sleep(0.002)
    late = tracker.start("late", {"mmclf.study": "x"}, None)
    tracker.start("other", {"mmclf.study": "X", "mmclf.study_key": "k"}, None)
    started = {run.id: run.started_ms for run in tracker.runs()}
    both, of_key, before = (
        [run.id for run in tracker.tagged("mmclf.study", "x", **asked)]
        for asked in ({}, {"also": "mmclf.study_key"}, {"before_ms": started[late.id]})
    )
    assert (both, of_key, before) == ([late.id, early.id], [early.id], [early.id])


@pytest.mark.parametrize("is_enabled", [True, False])
def test_a_search_leaves_garbage_collection_as_it_was(is_enabled: bool, tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    tracker.start("run", {}, None)
    was_enabled = gc.isenabled()
    try:
        gc.enable() if is_enabled else gc.disable()
        assert len(tracker.runs()) == 1
        assert gc.isenabled() == is_enabled
    finally:
        gc.enable() if was_enabled else gc.disable()


def test_an_interrupted_run_is_killed(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    with pytest.raises(KeyboardInterrupt), tracker.run("stopped", {}, None):
        raise KeyboardInterrupt
    (run,) = tracker.runs()
    assert run.status == "KILLED"
    assert "mmclf.error" not in run.tags


def test_it_is_killed_whatever_a_library_raises_as_it_cleans_up(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)

    def interrupted_in_a_library() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError

    with pytest.raises(KeyboardInterrupt), tracker.run("stopped", {}, None):
        interrupted_in_a_library()
    (run,) = tracker.runs()
    assert (run.status, "mmclf.error" in run.tags) == ("KILLED", False)


def test_children_are_found_by_their_parent(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    parent = tracker.start("sweep", {}, None)
    with tracker.run("child", {"mmclf.arm": "a=1"}, parent.id):
        pass
    with tracker.run("single", {}, None):
        pass
    (child,) = tracker.children(parent.id)
    assert (child.name, child.parent, child.tags["mmclf.arm"]) == ("child", parent.id, "a=1")


def test_params_tags_metrics_and_artifacts_come_back(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path / "deep" / "folder")
    (tmp_path / "files" / "figures").mkdir(parents=True)
    (tmp_path / "files" / "figures" / "a.txt").write_text("drawn")
    many = {f"test/f1_label/label {i}": i / 2000 for i in range(1500)}
    with tracker.run("full", {"mmclf.loss": "bce"}, None) as log:
        log.params({f"key.{i}": "x" * 7000 for i in range(150)})
        log.curves({1: {"val/loss": 2.0}, 2: {"val/loss": 1.0}})
        log.metrics(many | {"val/loss": 1.0})
        log.artifacts(tmp_path / "files")
    (run,) = tracker.get([log.id])
    assert run.tags["mmclf.loss"] == "bce"
    assert len(run.params) == 150
    assert run.metrics == many | {"val/loss": 1.0, "epoch/val/loss": 1.0}
    assert tracker.history(log.id, "epoch/val/loss") == [(1, 2.0), (2, 1.0)]
    assert tracker.history(log.id, "val/loss") == [(0, 1.0)]
    artifacts = tmp_path / "deep" / "folder" / "artifacts" / log.id / "artifacts"
    assert (artifacts / "figures" / "a.txt").read_text() == "drawn"


def test_an_unknown_run_id_says_where_ids_are_listed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="mmclf runs"):
        open_tracker(tmp_path).get(["0" * 32])


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("test/f1_label/traffic light", "test/f1_label/traffic light"),
        ("test/f1_label/x-ray", "test/f1_label/x-ray"),
        ("test/f1_label/R&B", "test/f1_label/R_x26_B"),
        ("test/f1_label/a/b", "test/f1_label/a_x2f_b"),
        ("test/f1_label/..", "test/f1_label/_x2e__x2e_"),
        ("val/f1_samples_at_0.5", "val/f1_samples_at_0.5"),
        ("data.label_names.C++", "data.label_names.C_x2b__x2b_"),
    ],
)
def test_odd_names_become_keys_that_mlflow_admits(tmp_path: Path, name: str, key: str) -> None:
    assert key_of(name) == key
    with open_tracker(tmp_path).run("odd", {}, None) as log:
        log.metrics({name: 0.5})
        log.params({name: "set"})
    (run,) = open_tracker(tmp_path).runs()
    assert run.metrics == {key: 0.5}
    assert run.params == {key: "set"}


def test_a_run_is_found_by_its_id_or_by_the_beginning(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    ids = [tracker.start(f"run {number}", {}, None).id for number in range(17)]
    for run_id in ids:
        assert tracker.find(run_id).id == run_id
        shortest = next(
            run_id[:n] for n in range(1, 33) if sum(i.startswith(run_id[:n]) for i in ids) == 1
        )
        assert tracker.find(shortest).id == run_id
    # Of 17 ids two begin with the same of 16 digits.
    twice = next(i[0] for i in ids if sum(other[0] == i[0] for other in ids) > 1)
    count = sum(i[0] == twice for i in ids)
    with pytest.raises(InputError, match=f"{count} runs .*'{twice}'"):
        tracker.find(twice)
    for beginning in ("", "zz", "0" * 32, "0" * 33, "%", "../.."):
        with pytest.raises(InputError, match="`mmclf runs`"):
            tracker.find(beginning)
    # An id alone is found in any experiment.
    other = Tracker(f"sqlite:///{tmp_path / 'mlflow.db'}", "other", tmp_path)
    assert other.find(ids[0]).id == ids[0]


@pytest.mark.parametrize("write", ["params", "metrics", "curves", "tags", "end"])
def test_an_interruption_waits_for_a_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    log = open_tracker(tmp_path).start("a", {}, None)
    values: dict[str, Any] = {
        "params": {"a": 1},
        "metrics": {"a": 1.0},
        "curves": {1: {"a": 1.0}},
        "tags": {"a": "1"},
        "end": "FINISHED",
    }
    written: list[str] = []

    def interrupted(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)
        written.append(write)

    for method in ("log_batch", "set_terminated"):
        monkeypatch.setattr(MlflowClient, method, interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            getattr(log, write)(values[write])
    finally:
        signal.signal(signal.SIGINT, before)
    assert written == [write]


@pytest.mark.parametrize(
    ("before", "after"), [(None, "KILLED"), ("FAILED", "FAILED"), ("KILLED", "KILLED")]
)
def test_a_run_that_another_goes_on_from_is_none_that_goes_on(
    tmp_path: Path, before: Any, after: str
) -> None:
    tracker = open_tracker(tmp_path)
    killed = tracker.start("killed", {}, None)
    if before is not None:
        killed.end(before)
    with tracker.run("again", {}, None) as log:
        log.take_over(killed.id)
        assert [run.status for run in tracker.get([killed.id, log.id])] == [after, "RUNNING"]
    (run,) = tracker.get([log.id])
    assert run.tags["mmclf.resumed_from"] == killed.id


def test_a_run_goes_on_from_one_that_is_not_there_and_from_itself(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    with tracker.run("again", {}, None) as log:
        log.take_over("0" * 32)
        log.take_over(log.id)
        (run,) = tracker.get([log.id])
    assert (run.status, run.tags["mmclf.resumed_from"]) == ("RUNNING", "0" * 32)


def test_a_run_that_goes_on_has_each_epoch_once(tmp_path: Path) -> None:
    tracker = open_tracker(tmp_path)
    log = tracker.start("requeued", {}, None)
    for epoch in (1, 2):
        log.curves({epoch: {"val/loss": 1.0 / epoch}})
    log.end("KILLED")
    with tracker.run("requeued", {}, None, log.id) as again:
        for epoch in (1, 2, 3):
            again.curves({epoch: {"val/loss": 1.0 / epoch}})
    points = tracker.client.get_metric_history(log.id, "epoch/val/loss")
    assert [(point.step, point.value) for point in points] == [(1, 1.0), (2, 0.5), (3, 1.0 / 3)]
