"""Rounds of a study that stops when decided: who goes on, who waits, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from made_up_jobs import Jobs, definition, looks_of, seeds_by_arm, start

from mmclf.storage.tracking import Tracker
from mmclf.studies.definition import Definition
from mmclf.studies.looks import Judged, Look, Looks, planned_looks
from mmclf.studies.rounds import (
    Round,
    next_round,
    plan_in_words,
    plan_of,
    run_rounds,
    seeds_at_most,
)
from mmclf.studies.statistics.stopping import Call

GRID = definition("grid", {"x": 4}, 5, 0.03)
LADDER = definition("ladder", {"x": 2, "y": 2}, 5, 0.03)
WHOLE = "default to improved"
# Called at the first look: x1 as worse, x2 as equal; x3 at the last one.
WRONG = {"x0": 0.2, "x1": 0.4, "x2": 0.202, "x3": 0.24}
SWAYS = {"x3": 1.0}


def looks(asked: Definition, seeds: int, calls: str = "") -> Looks:
    """A look at effects, `x1 worse, x2 open`, of a study whose arms have so many seeds."""
    pairs = [of.rsplit(maxsplit=1) for of in calls.split(", ") if of]
    every = {str(call): call for call in get_args(Call)}
    judged = tuple(Judged(effect, 0.0, 1.0, every[call]) for effect, call in pairs)
    held = (Look(seeds, 0.001, 0.01, judged),) if judged else ()
    return Looks(planned_looks(asked), held, {arm.name: seeds for arm in asked.arms})


def test_the_plan_is_the_looks_with_their_levels() -> None:
    plan = plan_of(GRID, 10)
    assert plan.seeds == (3, 5, 8, 10)
    assert plan.levels == pytest.approx(GRID.stopping_rule((3, 5, 8, 10)).difference_levels[0])
    assert len(plan.equality_levels) == 4
    # Of a gain from the baseline there is one comparison more than steps.
    assert LADDER.stopping_rule((3, 5)).comparisons == 3
    said = " ".join(plan_in_words(GRID))
    assert "3, 5 seeds" in said
    assert "from 12 to 20 runs" in said
    assert " 12 runs" in " ".join(plan_in_words(definition("grid", {"x": 4}, 3, 0.03)))


def test_the_first_round_is_of_all_arms() -> None:
    nothing = looks(GRID, 0)
    assert next_round(GRID, nothing, ()) == Round(3, ("x1", "x2", "x3"), ("x0", "x1", "x2", "x3"))


def test_arms_that_an_open_effect_weighs_go_on() -> None:
    actual = looks(GRID, 3, "x1 worse, x2 open, x3 futile")
    assert next_round(GRID, actual, ()) == Round(5, ("x2",), ("x0", "x2"))
    assert next_round(GRID, actual, {"x2"}) is None
    assert next_round(GRID, looks(GRID, 3, "x1 worse, x2 equal, x3 futile"), ()) is None
    assert next_round(GRID, looks(GRID, 5, "x1 worse, x2 open, x3 open"), ()) is None


def test_who_lacks_a_look_is_first() -> None:
    actual = looks(GRID, 3, "x1 open, x2 open")
    assert next_round(GRID, actual, ()) == Round(3, ("x3",), ("x0", "x3"))
    assert next_round(GRID, actual, {"x3"}) == Round(5, ("x1", "x2"), ("x0", "x1", "x2"))


def test_a_ladder_goes_on_and_waits_as_a_whole() -> None:
    names = [effect.name for effect in LADDER.compared]
    assert names == ["x", "y", WHOLE]
    actual = looks(LADDER, 3, f"x worse, y open, {WHOLE} worse")
    coming = next_round(LADDER, actual, ())
    assert coming == Round(5, ("y",), tuple(arm.name for arm in LADDER.arms))
    assert next_round(LADDER, actual, {"y"}) is None
    assert next_round(LADDER, looks(LADDER, 3, "x open, y open"), {"x"}) is None


def test_at_most_all_seeds_but_for_what_is_decided() -> None:
    assert seeds_at_most(GRID, None) == dict.fromkeys(("x0", "x1", "x2", "x3"), 5)
    actual = looks(GRID, 3, "x1 worse, x2 open, x3 futile")
    assert seeds_at_most(GRID, actual) == {"x0": 5, "x1": 3, "x2": 5, "x3": 3}
    done = looks(LADDER, 3, f"x worse, y equal, {WHOLE} worse")
    assert set(seeds_at_most(LADDER, done).values()) == {3}
    going = looks(LADDER, 3, "x worse, y equal")
    assert set(seeds_at_most(LADDER, going).values()) == {5}


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    return Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)


def jobs(tracker: Tracker, folder: Path, **given: object) -> Jobs:
    return Jobs(tracker, folder, WRONG, SWAYS, **given)  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_is_decided_gets_no_more_seeds(tracker: Tracker, tmp_path: Path) -> None:
    log = start(tracker, tmp_path, GRID)
    work = jobs(tracker, tmp_path)
    assert run_rounds(tracker, GRID, log, work) is None
    actual = looks_of(tracker, log.id)
    assert [actual.call(effect) for effect in ("x1", "x2", "x3")] == ["worse", "equal", "worse"]
    assert [look.seeds for look in actual.looks] == [3, 5]
    assert actual.given == {"x0": 5, "x1": 3, "x2": 3, "x3": 5}
    runs = seeds_by_arm(tracker.children(log.id))
    assert {arm: len(seeds) for arm, seeds in runs.items()} == actual.given
    # All arms of a seed come before the next.
    assert [seed for _, seed in work.ran] == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 2 + [4] * 2
    # The same again does nothing.
    again = jobs(tracker, tmp_path)
    assert run_rounds(tracker, GRID, log, again) is None
    assert again.ran == []
    assert replace(looks_of(tracker, log.id), round={}) == replace(actual, round={})


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 7, 13])
def test_an_interrupted_round_is_gone_on_with(tracker: Tracker, tmp_path: Path, after: int) -> None:
    undisturbed = start(tracker, tmp_path, GRID)
    run_rounds(tracker, GRID, undisturbed, jobs(tracker, tmp_path))
    expected = looks_of(tracker, undisturbed.id)
    log = tracker.start("study: made_up", {}, None)
    interrupted = jobs(tracker, tmp_path, interrupt_after=after)
    with pytest.raises(KeyboardInterrupt):
        run_rounds(tracker, GRID, log, interrupted)
    kept = looks_of(tracker, log.id)
    assert len(kept.looks) == (1 if after > 12 else 0)
    resumed = jobs(tracker, tmp_path)
    assert run_rounds(tracker, GRID, log, resumed) is None
    actual = looks_of(tracker, log.id)
    assert (actual.looks, actual.given) == (expected.looks, expected.given)
    assert len({*interrupted.ran, *resumed.ran}) == len(interrupted.ran) + len(resumed.ran) == 16


@pytest.mark.slow
def test_an_effect_whose_run_failed_waits_at_its_look(tracker: Tracker, tmp_path: Path) -> None:
    log = start(tracker, tmp_path, GRID)
    failing = jobs(tracker, tmp_path, fails={("x1", 2)})
    assert isinstance(run_rounds(tracker, GRID, log, failing), RuntimeError)
    looks = looks_of(tracker, log.id)
    assert [looks.last_look(effect) for effect in ("x1", "x2", "x3")] == [0, 3, 5]
    assert failing.ran.count(("x1", 2)) == 1
    assert looks.given == {"x0": 5, "x1": 3, "x2": 3, "x3": 5}
    again = jobs(tracker, tmp_path)
    assert run_rounds(tracker, GRID, log, again) is None
    assert again.ran == [("x1", 2)]
    looks = looks_of(tracker, log.id)
    assert [looks.last_look(effect) for effect in ("x1", "x2", "x3")] == [3, 3, 5]
    assert looks.call("x1") == "worse"


@pytest.mark.slow
def test_without_the_baseline_everything_waits(tracker: Tracker, tmp_path: Path) -> None:
    log = start(tracker, tmp_path, GRID)
    failing = jobs(tracker, tmp_path, fails={("x0", 0)})
    assert isinstance(run_rounds(tracker, GRID, log, failing), RuntimeError)
    actual = looks_of(tracker, log.id)
    assert actual.looks == ()
    assert len(failing.ran) == 12


@pytest.mark.slow
def test_calls_stay_and_what_is_lost_of_their_runs_is_run_again(
    tracker: Tracker, tmp_path: Path
) -> None:
    log = start(tracker, tmp_path, GRID)
    run_rounds(tracker, GRID, log, jobs(tracker, tmp_path))
    before = looks_of(tracker, log.id)
    lost = next(run for run in tracker.children(log.id) if run.tags["mmclf.arm"] == "x1")
    tracker.log_of(lost.id).end("FAILED")
    # As another machine might, this one now finds all arms alike.
    again = Jobs(tracker, tmp_path, dict.fromkeys(WRONG, 0.2))
    assert run_rounds(tracker, GRID, log, again) is None
    assert again.ran == [("x1", int(lost.tags["mmclf.seed"]))]
    assert looks_of(tracker, log.id).looks == before.looks


@pytest.mark.slow
def test_more_seeds_afterwards_are_another_plan(tracker: Tracker, tmp_path: Path) -> None:
    log = start(tracker, tmp_path, GRID)
    work = Jobs(tracker, tmp_path, {**WRONG, "x3": 0.215}, {"x3": 2.0})
    run_rounds(tracker, GRID, log, work)
    before = looks_of(tracker, log.id)
    assert before.call("x3") in ("open", "futile")
    more = definition("grid", {"x": 4}, 8, 0.03)
    run_rounds(tracker, more, log, work)
    after = looks_of(tracker, log.id)
    assert [earlier.plan for earlier in after.earlier] == [before.plan]
    assert [earlier.looks for earlier in after.earlier] == [before.looks]
    assert [after.call(effect) for effect in ("x1", "x2")] == ["worse", "equal"]
    assert (after.given["x1"], after.given["x3"], after.given["x0"]) == (3, 8, 8)
    assert after.looks[-1].seeds == 8


@pytest.mark.slow
def test_runs_from_before_the_plan_are_counted(tracker: Tracker, tmp_path: Path) -> None:
    log = start(tracker, tmp_path, GRID)
    work = jobs(tracker, tmp_path)
    early = tracker.start("study: early", {}, None)
    run_rounds(tracker, GRID, early, work)
    assert looks_of(tracker, early.id).runs_before == 0
    for seed in (0, 1):
        work.track(log.id, "x0", seed)
    run_rounds(tracker, GRID, log, work)
    assert looks_of(tracker, log.id).runs_before == 2
