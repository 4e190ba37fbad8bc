"""What is said of runs before they are compared."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made_up import CHANGES, difference, result, run_of

from mmclf.studies.report.result.notes import effect_notes, group_notes, label_notes, seed_notes

LABELS = {f"test/f1_label/label {i}": 0.5 for i in range(8)}


class Run:
    def __init__(self, **metrics: float) -> None:
        self.metrics = LABELS | {
            f"{part}/labels_without_positive": n for part, n in metrics.items()
        }


def test_labels_without_a_positive_are_said_of_the_run_with_the_most() -> None:
    val, test = label_notes([Run(val=0, test=2), Run(val=1, test=0), Run()], ("val", "test"))
    assert "1 of 8 labels" in val
    assert "val/f1_macro_present" in val
    assert "2 of 8 labels" in test
    assert "at most 75 points" in test


def test_where_every_label_has_one_or_none_is_told_nothing_is_said() -> None:
    assert list(label_notes([Run(val=0, test=0), run_of("a", 0)], ("val", "test"))) == []
    assert list(label_notes([], ("val", "test"))) == []
    assert list(label_notes([Run(val=1, test=0)], ("test",))) == []


def test_samples_in_groups_are_said() -> None:
    (note,) = group_notes(400, 399)
    assert "400 test samples are in 399 groups" in note
    assert list(group_notes(400, 400)) == []


@pytest.mark.parametrize(("seeds", "start"), [(1, "1 seed: "), (2, "2 seeds: "), (3, None)])
def test_below_3_seeds_one_line_says_what_is_not_known(seeds: int, start: str | None) -> None:
    study = result(seeds=seeds)
    actual = list(seed_notes(study.definition, study.arms))
    assert len(actual) == (0 if start is None else 1)
    assert start is None or actual[0].startswith(start)


def test_arms_that_share_few_seeds_are_named() -> None:
    study = result()
    few = [replace(study.arms[i], difference=difference(0.1, seeds=i)) for i in (1, 2, 3)]
    actual = list(seed_notes(study.definition, [study.arms[0], *few]))
    assert [note.partition(" can be")[0] for note in actual] == [
        "“weighted_bce raw”",
        "“weighted_bce sqrt”",
    ]
    assert ["on 1 seed so far" in actual[0], "on 2 seeds so far" in actual[1]] == [True, True]


def test_effects_of_fewer_seeds_than_asked_are_said() -> None:
    study = result("ladder", CHANGES)
    assert list(effect_notes(study.definition, study.effects)) == []
    fewer = [replace(effect, difference=difference(0.1, seeds=4)) for effect in study.effects]
    (note,) = effect_notes(study.definition, fewer)
    assert "of the 4 seeds that all arms" in note
    lost, seeds = effect_notes(study.definition, [replace(fewer[0], difference=None), *fewer[1:]])
    assert "“vision”" in lost
    assert "4 seeds" in seeds
    assert list(effect_notes(result().definition, ())) == []


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_tracked_count_that_is_none_says_nothing(odd: float) -> None:
    assert list(label_notes([Run(test=odd)], ["test"])) == []
    (note,) = label_notes([Run(test=odd), Run(test=2.0)], ["test"])
    assert "2 of 8" in note
