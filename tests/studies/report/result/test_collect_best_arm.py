"""What is left of the best arm's lead once allowed for having chosen it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from html_reader import part, read
from made_up import difference, estimate, result
from three_arms import definition, start, track

from mmclf.storage.tracking import Tracker
from mmclf.studies.report.page.document import page
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.words.answer import answer

pytest_plugins = ["tracker_fixture"]
WORDS = "after allowing for having chosen the best of 5"


def study(kept: float, lead: float = 0.02, reach: float = 0.005) -> StudyResult:
    """A study whose best arm is ahead of the baseline by so much."""
    made = result()
    best = made.best_of([arm for arm in made.arms if arm is not made.baseline])
    assert best is not None
    top = 2 * max(arm.mean(made.definition.metric) for arm in made.arms)
    runs = tuple(
        replace(run, metrics={**run.metrics, made.definition.metric: top}) for run in best.runs
    )
    first = replace(best, difference=difference(lead, reach), score=estimate(0.9), runs=runs)
    arms = tuple(first if arm is best else arm for arm in made.arms)
    return replace(made, arms=arms, kept=kept)


def test_the_share_that_is_no_chance_is_left() -> None:
    actual = study(0.4)
    assert actual.best is not None
    assert actual.after_choice(actual.best) == pytest.approx(0.008)
    others = [arm for arm in actual.arms if arm is not actual.best]
    assert all(math.isnan(actual.after_choice(arm)) for arm in others)


def test_the_answer_says_it_beside_a_difference_that_is_shown() -> None:
    assert [f"about 0.80 {WORDS}" in bullet for bullet in answer(study(0.4)).bullets].count(
        True
    ) == 1
    undecided = answer(study(0.4, reach=0.05)).bullets
    unknown = answer(study(math.nan)).bullets
    assert not any(WORDS in bullet for bullet in (*undecided, *unknown))


def test_the_page_says_it_beside_the_best_mean() -> None:
    root = read(page(study(0.4, reach=0.05), None, []))
    text = part(root, "arms-table").whole_text()
    assert f"best mean · +0.80 {WORDS}" in " ".join(text.split())


def test_too_few_arms_and_the_baseline_as_the_best_have_none(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0, 1)))
    for seed in (0, 1):
        for arm, wrong in (("a", 0.02), ("b", 0.2), ("c", 0.3)):
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    actual = collect(tracker, parent)
    assert math.isnan(actual.kept)
    made = result()
    baseline = replace(made, kept=0.5)
    assert math.isnan(baseline.after_choice(baseline.baseline))
