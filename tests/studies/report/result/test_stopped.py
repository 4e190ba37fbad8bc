"""What a report says of a study that stops when decided: calls, reasons, notes, intervals."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made_up import CHANGES, difference, page_of, result

from mmclf.plots.forest import AFTER_STOPPING, INNER, SIMULTANEOUS, Interval, interval_words
from mmclf.studies.looks import EarlierPlan, Judged, Look, LookPlan, Looks, planned_looks
from mmclf.studies.report.result.stopped import called, effect_of, given_seeds, look_notes, stopped
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.rendering import NO_VALUE
from mmclf.studies.report.tables.study_tables import (
    STOPPED,
    arms_table,
    effects_table,
    reading_table,
)
from mmclf.studies.report.words.answer import answer
from mmclf.studies.report.words.method_words import method_paragraph
from mmclf.studies.rounds import plan_of
from mmclf.studies.statistics.stopping import Call, StoppedDifference

CALLS: dict[str, Call] = {
    "weighted_bce raw": "worse",
    "weighted_bce sqrt": "equal",
    "weighted_bce log": "futile",
    "focal": "open",
}


def looks_at(study: StudyResult, calls: dict[str, Call]) -> Looks:
    """Looks after 3 and 5 seeds, of which the second has called what is called."""
    first = Look(3, 1e-4, 1e-3, tuple(Judged(name, 0.0, 0.5, "open") for name in calls))
    second = Look(5, 1e-3, 1e-2, tuple(Judged(name, 0.0, 0.5, of) for name, of in calls.items()))
    given = {arm.name: 5 for arm in study.definition.arms}
    return Looks(planned_looks(study.definition), (first, second), given)


def decided(design: str = "one_at_a_time", **given: object) -> StudyResult:
    """A made-up study whose arms, or else all of whose effects, looks have called."""
    study = result(design, **given)  # type: ignore[arg-type]
    definition = replace(study.definition, seeds=tuple(range(10)))
    definition = replace(definition, plan=plan_of(definition, 10))
    study = replace(study, definition=definition)
    calls: dict[str, Call] = {of.name: "worse" for of in definition.compared}
    calls = CALLS if design == "one_at_a_time" else calls
    looks = looks_at(study, calls)
    arms = [
        replace(
            arm, difference=called(arm.difference, looks, effect_of(study.definition, arm.name))
        )
        for arm in study.arms
    ]
    effects = [
        replace(of, difference=called(of.difference, looks, of.name)) for of in study.effects
    ]
    notes = tuple(look_notes(definition, looks))
    return replace(study, arms=tuple(arms), effects=tuple(effects), notes=notes, looks=looks)


def test_verdicts_are_the_calls_with_the_reason_why_an_arm_stopped() -> None:
    table = arms_table(decided()).set_index("Arm")
    assert table["Verdict"].to_dict() == {
        "bce": "baseline",
        "weighted_bce raw": "worse",
        "weighted_bce sqrt": "equal",
        "weighted_bce log": "undecided",
        "focal": "undecided",
    }
    assert table[STOPPED]["weighted_bce raw"] == "decided at look 2, 5 seeds"
    assert table[STOPPED]["weighted_bce log"].startswith("more seeds will not help at look 2")
    assert table[STOPPED]["focal"].startswith("goes on")
    assert table["p (adjusted)"].isna().all()
    reading = reading_table(arms_table(decided()), "F1 points")
    assert "Difference, F1 points (95 % after stopping)" in reading


def test_a_study_of_all_seeds_has_no_reason() -> None:
    assert STOPPED not in arms_table(result())
    assert "Difference, F1 points (95 %)" in reading_table(arms_table(result()), "F1 points")


def test_what_stopped_where_no_look_of_the_plan_is() -> None:
    actual = decided().looks
    assert actual is not None
    others = replace(actual, plan=replace(actual.plan, looks=(4, 6)))
    assert stopped(others, "weighted_bce raw") == "decided at 5 seeds"
    assert stopped(others, "another") == "no look yet"


def test_arms_of_an_attribution_are_not_looked_at_but_its_changes() -> None:
    study = decided("attribution", factors=CHANGES)
    # Its arms may be called as its changes are.
    arms = arms_table(study).set_index("Arm")[STOPPED]
    assert arms.pop("improved") == "decided at look 2, 5 seeds"
    assert {"loss", "vision"} < set(arms.index)
    assert set(arms) == {NO_VALUE}
    effects = effects_table(study)
    assert effects is not None
    assert set(effects[STOPPED]) == {"decided at look 2, 5 seeds"}
    assert set(effects["Verdict"]) == {"worse"}


def test_a_difference_is_left_as_it_is_without_looks() -> None:
    of = difference(0.02)
    assert called(of, None, "focal") is of
    assert called(None, decided().looks, "focal") is None
    beside = called(of, decided().looks, None)
    assert isinstance(beside, StoppedDifference)
    assert beside.call == "open"


def test_seeds_are_those_that_an_arm_was_given() -> None:
    study = decided()
    assert study.looks is not None
    fewer = replace(study.looks, given={**study.looks.given, "focal": 3})
    assert given_seeds(study.definition, fewer)["focal"] == (0, 1, 2)
    assert given_seeds(study.definition, None)["focal"] == tuple(range(10))


def test_notes_say_what_was_saved_and_what_is_exploratory() -> None:
    study = decided()
    definition, looks = study.definition, study.looks
    assert looks is not None
    saved, intervals = look_notes(definition, looks)
    assert "25 of 50 runs" in saved
    assert "25 fewer" in saved
    assert "95 % after stopping" in intervals
    assert list(look_notes(definition, None)) == []
    *_, before = look_notes(definition, replace(looks, runs_before=4))
    assert before.startswith("4 runs had finished")
    once = EarlierPlan(LookPlan((3, 5), looks.plan.metric, "bce", 0.01), looks.looks)
    *_, changed = look_notes(definition, replace(looks, earlier=(once,)))
    assert "max_seeds 5 to 10 and margin 0.01 to" in changed
    assert "exploratory" in changed
    (without,) = look_notes(replace(definition, plan=None), looks)
    assert "exploratory" in without


def test_answer_page_and_method_say_that_intervals_are_after_stopping() -> None:
    study = decided()
    said = answer(study).text
    assert "1 worse, 1 equal, 2 undecided" in said
    assert "after stopping" in said
    assert "90 %" not in said
    assert "nan" not in said
    page = page_of(study, None)
    assert "after stopping" in page
    assert "90 % interval" not in page
    assert "Lan and DeMets" in method_paragraph(study)


def test_a_plot_names_the_intervals_that_it_has() -> None:
    both = Interval("a", 0.1, 0.2, 0.1, "undecided")
    after = replace(both, inner=math.nan)
    assert interval_words([both, after]) == [SIMULTANEOUS, INNER]
    assert interval_words([after]) == [AFTER_STOPPING]


@pytest.mark.parametrize("design", ["ladder", "attribution"])
def test_a_page_of_effects_that_looks_have_called(design: str) -> None:
    factors = {name: CHANGES[name] for name in ("loss", "threshold")}
    page = page_of(decided(design, factors=factors), None)
    assert "decided at look 2, 5 seeds" in page
