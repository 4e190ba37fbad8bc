"""What is said of runs before they are compared."""

from __future__ import annotations

from made_up import run_of

from mmclf.studies.report.notes import group_notes, label_notes

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
    assert "at most 0.75" in test


def test_where_every_label_has_one_or_none_is_told_nothing_is_said() -> None:
    assert list(label_notes([Run(val=0, test=0), run_of("a", 0)], ("val", "test"))) == []
    assert list(label_notes([], ("val", "test"))) == []
    assert list(label_notes([Run(val=1, test=0)], ("test",))) == []


def test_samples_in_groups_are_said() -> None:
    (note,) = group_notes(400, 399)
    assert "400 test samples are in 399 groups" in note
    assert list(group_notes(400, 400)) == []
