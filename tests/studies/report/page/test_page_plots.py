"""What the plots of a study's page draw, and what is said beside them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from html_reader import Node, letters_of, part, read
from made_up import CHANGES, details, page_of, result

from mmclf.studies.report.result.study_result import StudyResult


def of(study: StudyResult) -> Node:
    return read(page_of(study, details(study)))


def test_of_an_attribution_single_changes_and_all_are_drawn() -> None:
    study = result("attribution", CHANGES, seeds=1)
    root = read(page_of(study, None))
    names = {arm.name for arm in study.arms} & set(letters_of(root, "differences"))
    assert names == {*CHANGES, "improved"}
    caption = part(root, "differences").all("figcaption")[0].whole_text()
    assert "7 arms against the baseline “default”" in caption
    assert "the other arms are in the table" in caption
    assert len(part(root, "arms-table").all("tbody")[0].all("tr")) == 64


@pytest.mark.parametrize("changes", [list(CHANGES), list(CHANGES)[:2]])
def test_where_all_arms_are_drawn_none_is_said_to_be_missing(changes: list[str]) -> None:
    design = "ladder" if len(changes) > 2 else "attribution"
    study = result(design, {name: CHANGES[name] for name in changes}, seeds=1)
    root = read(page_of(study, None))
    assert {arm.name for arm in study.arms[1:]} <= set(letters_of(root, "differences"))
    assert "other arms" not in part(root, "differences").all("figcaption")[0].whole_text()


def test_a_baseline_that_is_the_best_stands_beside_the_best_other_arm() -> None:
    study = result()
    ranked = sorted(study.arms, key=lambda arm: -arm.mean("test/f1_samples"))
    best, second = ranked[0].name, ranked[1].name
    moved = replace(study, definition=replace(study.definition, baseline=best))
    root = of(moved)
    for key in ("label-scores", "threshold-curves", "learning-curves"):
        caption = part(root, key).all("figcaption")[0].whole_text()
        assert f"The baseline “{best}”, which has the best mean" in caption
        assert f"the best of the other arms, “{second}”" in caption
    assert {best, second} <= set(letters_of(root, "label-scores"))
    caption = part(of(study), "label-scores").all("figcaption")[0].whole_text()
    assert f"and the arm with the best mean, “{best}”" in caption


def test_what_counts_as_equally_fast_is_said_and_a_time_is_a_median() -> None:
    study = result(seeds=3)
    arm = study.arms[1]
    slow = [
        replace(run, metrics={**run.metrics, "time/cold_s": seconds})
        for run, seconds in zip(arm.runs, (9000.0, 2.0, 1.0), strict=True)
    ]
    changed = replace(study, arms=(study.arms[0], replace(arm, runs=tuple(slow)), *study.arms[2:]))
    cost = part(read(page_of(changed, None)), "cost")
    assert "no more than 2 %, or than the standard deviation" in cost.whole_text()
    assert "5 arms, from 2.0 to " in cost.all("img")[0].attributes["alt"]


def test_of_many_labels_the_most_frequent_and_the_rarest_are_drawn() -> None:
    study = result(seeds=1)
    root = read(page_of(study, details(study, labels=200)))
    assert "Of 200 labels, the 30 most frequent and the 30 rarest." in root.whole_text()
    texts = set(letters_of(root, "label-shares"))
    assert {"label 0", "label 29", "label 170", "label 199"} <= texts
    assert "label 100" not in texts


def test_rare_labels_are_marked_in_words() -> None:
    root = of(result(seeds=1))
    texts = letters_of(root, "label-scores")
    assert "label 17 (rare, 0.6 %)" in texts
    assert "label 0" in texts


def test_what_a_grid_draws_is_named_by_its_levels() -> None:
    factors = {
        "vision": ["resnet18", "resnet50"],
        "text": ["minilm", "bert"],
        "loss": ["bce", "focal"],
    }
    root = read(page_of(result("grid", factors, seeds=1), None))
    texts = letters_of(root, "differences")
    assert "resnet50, bert, focal" in texts
    assert "vision=resnet50, text=bert, loss=focal" in part(root, "arms-table").whole_text()
