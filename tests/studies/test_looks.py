"""What a study that stops when decided keeps of its looks, and what another plan makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mmclf.errors import InputError
from mmclf.storage.tracking import Tracker
from mmclf.studies.looks import FILES, Judged, Look, LookPlan, Looks, fetch_looks, with_plan
from mmclf.studies.statistics.stopping import Call

PLAN = LookPlan((3, 5, 8, 10), "test/f1_samples", "bce", 0.005)


def look(seeds: int, **calls: Call) -> Look:
    judged = tuple(Judged(effect, 0.01, 0.2, call) for effect, call in calls.items())
    return Look(seeds, 0.001, 0.01, judged)


HELD = Looks(
    PLAN,
    (look(3, a="open", b="worse", c="open", d="open"), look(5, a="futile", c="open")),
    {"bce": 8, "a": 5, "b": 3, "c": 8, "d": 3},
    {"bce": 8, "c": 8},
    runs_before=2,
)


@pytest.mark.parametrize(
    ("effect", "call", "last", "following", "why"),
    [
        ("a", "futile", 5, None, "futile"),
        ("b", "worse", 3, None, "decided"),
        ("c", "open", 5, 8, "goes on"),
        # It lacked runs at the second look.
        ("d", "open", 3, 5, "goes on"),
        ("e", "open", 0, 3, "not looked at"),
    ],
)
def test_where_an_effect_stands(
    effect: str, call: Call, last: int, following: int | None, why: str
) -> None:
    assert HELD.call(effect) == call
    assert HELD.last_look(effect) == last
    assert HELD.next_look(effect) == following
    assert HELD.why(effect) == why


def test_what_is_open_at_the_last_look_gets_no_more() -> None:
    ended = replace(HELD, looks=(*HELD.looks, look(10, c="open")))
    assert (ended.next_look("c"), ended.why("c")) == (None, "last look")


def test_of_the_seeds_an_arm_has_those_that_it_was_given() -> None:
    assert HELD.seeds("b", range(10)) == (0, 1, 2)
    assert HELD.seeds("nobody", range(10)) == ()


def test_the_same_plan_changes_nothing() -> None:
    assert with_plan(HELD, PLAN) is HELD


@pytest.mark.parametrize("most", [6, 20])
def test_with_other_looks_calls_stay_and_what_was_given_up_goes_on(most: int) -> None:
    looks = (3, 5, 6) if most == 6 else (3, 5, 8, 13, 20)
    after = with_plan(HELD, replace(PLAN, looks=looks))
    assert after.plan.looks == looks
    assert [after.call(effect) for effect in "abcd"] == ["open", "worse", "open", "open"]
    assert after.next_look("a") == looks[2]
    assert after.given == HELD.given
    (earlier,) = after.earlier
    assert (earlier.plan, earlier.looks) == (PLAN, HELD.looks)


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, margin=0.01),
        replace(PLAN, metric="test/f1_micro"),
        replace(PLAN, baseline="a"),
        replace(PLAN, baseline="a", looks=(3, 5)),
    ],
)
def test_another_question_is_looked_at_anew(plan: LookPlan) -> None:
    after = with_plan(HELD, plan)
    assert after.looks == ()
    assert {after.next_look(effect) for effect in "abcd"} == {3}
    assert [earlier.looks for earlier in after.earlier] == [HELD.looks]


def test_a_plan_that_is_changed_before_any_look_leaves_nothing_behind() -> None:
    after = with_plan(replace(HELD, looks=()), replace(PLAN, margin=0.01))
    assert (after.earlier, after.plan.margin) == ((), 0.01)


@pytest.fixture
def tracked(tmp_path: Path) -> tuple[Tracker, str, Path]:
    tracker = Tracker(f"sqlite:///{tmp_path}/mlflow.db", "mmclf", tmp_path)
    return tracker, tracker.start("study", {}, None).id, tmp_path


def keep(looks: Looks, tracked: tuple[Tracker, str, Path]) -> None:
    tracker, parent, folder = tracked
    (folder / "new").mkdir(exist_ok=True)
    looks.write(folder / "new", tracker.log_of(parent))


def fetch(tracked: tuple[Tracker, str, Path]) -> Looks | None:
    tracker, parent, _ = tracked
    return fetch_looks(tracker, *tracker.get([parent]))


def test_looks_are_read_as_they_were_kept(tracked: tuple[Tracker, str, Path]) -> None:
    assert fetch(tracked) is None
    keep(HELD, tracked)
    changed = with_plan(HELD, replace(PLAN, margin=0.01))
    assert fetch(tracked) == HELD
    keep(changed, tracked)
    assert fetch(tracked) == changed


def test_one_damaged_copy_loses_no_look(tracked: tuple[Tracker, str, Path]) -> None:
    _, parent, folder = tracked
    for damaged in FILES:
        keep(HELD, tracked)
        (folder / "artifacts" / parent / "artifacts" / damaged).write_text('{"plan": {"lo')
        assert fetch(tracked) == HELD
    # Killed while the first copy ever was written.
    (folder / "artifacts" / parent / "artifacts" / FILES[0]).write_text("{")
    (folder / "artifacts" / parent / "artifacts" / FILES[1]).unlink()
    assert fetch(tracked) is None
    (folder / "artifacts" / parent / "artifacts" / FILES[1]).write_text("{")
    with pytest.raises(InputError, match=parent):
        fetch(tracked)
