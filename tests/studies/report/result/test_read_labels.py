"""Each label against the baseline's, out of tracked runs, and the tables of it."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from html_reader import part, read
from made_up import result
from three_arms import L, N, definition, start, track, truth

from mmclf.storage.tracking import Tracker
from mmclf.studies.report.page.document import page
from mmclf.studies.report.publish import write_tables
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.read_labels import LabelResult, read_labels
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.label_tables import MOST, labels_table, shown_labels_table
from mmclf.studies.statistics.estimates import Estimate
from mmclf.studies.statistics.label_tests import LabelDifference

pytest_plugins = ["tracker_fixture"]


def study(tracker: Tracker, folder: Path) -> StudyResult:
    """`b` is far worse than `a` in all labels, and `c` has one seed that `a` has not."""
    parent = start(tracker, folder, definition((0, 1, 2)))
    for seed in (0, 1, 2):
        track(tracker, folder, parent.id, "a", seed, 0.02)
        track(tracker, folder, parent.id, "b", seed, 0.45)
    for seed in (1, 2):
        track(tracker, folder, parent.id, "c", seed, 0.03)
    return collect(tracker, parent)


def differences(*values: float, p: float = 0.01) -> LabelResult:
    """Made-up differences of one arm, each of another label."""
    result = [
        LabelDifference("b", label, 20, 0.5 + value, 0.5, Estimate(value, 5, 1e-6, 1e-6, 800), p, p)
        for label, value in enumerate(values)
    ]
    return LabelResult(tuple(f"label {place}" for place in range(len(values))), tuple(result))


def test_every_arm_and_label_is_compared_on_the_seeds_that_both_have(
    tracker: Tracker, tmp_path: Path
) -> None:
    labels = read_labels(tracker, study(tracker, tmp_path))
    assert labels is not None
    assert labels.names == ("x", "y", "z")
    assert [(of.arm, of.label) for of in labels.differences] == [
        (arm, label) for arm in "bc" for label in range(L)
    ]
    assert [of.positives for of in labels.differences[:L]] == truth().sum(axis=0).tolist()
    seeds = [of.estimate.seeds for of in labels.differences if of.estimate is not None]
    assert seeds == [3, 3, 3, 2, 2, 2]
    for of in labels.differences:
        assert of.estimate is not None
        assert of.estimate.groups == N
        assert of.estimate.value == pytest.approx(of.f1 - of.baseline_f1)
        assert of.p_adjusted >= of.p
    assert all(of.p_adjusted < 0.05 for of in labels.differences[:L])


def test_without_a_run_of_the_baseline_or_of_another_arm_there_is_nothing(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0, 1)))
    track(tracker, tmp_path, parent.id, "b", 0, 0.1)
    assert read_labels(tracker, collect(tracker, parent)) is None
    track(tracker, tmp_path, parent.id, "a", 1, 0.1)
    assert read_labels(tracker, collect(tracker, parent)) is None


def test_a_study_publishes_them(tracker: Tracker, tmp_path: Path) -> None:
    actual, folder = study(tracker, tmp_path), tmp_path / "out"
    labels = read_labels(tracker, actual)
    assert labels is not None
    folder.mkdir()
    write_tables(folder, actual, labels)
    table = pd.read_csv(folder / "labels.csv")
    assert list(table) == [
        *("Arm", "Label", "Positives", "Baseline F1", "F1"),
        *("Difference", "Diff. low", "Diff. high", "p", "p (BH)"),
    ]
    assert list(table["Label"]) == ["x", "y", "z"] * 2
    assert bool((table["Diff. low"] < table["Difference"]).to_numpy().all())
    write_tables(tmp_path, actual, None)
    assert not (tmp_path / "labels.csv").exists()


def test_a_label_with_few_positives_has_no_difference() -> None:
    table = labels_table(
        LabelResult(("x",), (LabelDifference("b", 0, 9, 0.1, 0.5, None, math.nan, math.nan),))
    )
    (row,) = table.to_dict("records")
    assert (row["Positives"], row["F1"], row["Baseline F1"]) == (9, 0.1, 0.5)
    for name in ("Difference", "Diff. low", "Diff. high", "p", "p (BH)"):
        assert math.isnan(row[name])


def test_the_short_list_has_the_largest_losses_first_and_the_largest_gains_last() -> None:
    losses = [-0.01 * step for step in range(1, 8)]
    gains = [0.01 * step for step in range(1, 8)]
    shown = shown_labels_table(differences(*gains, *losses))
    assert list(shown["Difference"]) == pytest.approx(
        [-0.07, -0.06, -0.05, -0.04, -0.03, 0.03, 0.04, 0.05, 0.06, 0.07]
    )
    assert len(shown) == 2 * MOST


@pytest.mark.parametrize(("p", "count"), [(0.0499, 2), (0.05, 0)])
def test_the_short_list_has_what_is_shown_alone(p: float, count: int) -> None:
    assert len(shown_labels_table(differences(-0.1, 0.1, p=p))) == count


def test_the_page_lists_the_labels() -> None:
    table = part(read(page(result(), None, [], differences(-0.2, 0.1))), "labels-table")
    rows = [[cell.whole_text().strip() for cell in row.children] for row in table.all("tr")[2:]]
    assert [row[:3] for row in rows] == [["label 0", "b", "20"], ["label 1", "b", "20"]]
    assert rows[1][5] == "+10.00"


def test_the_page_says_where_no_label_is_shown() -> None:
    root = read(page(result(), None, [], differences(-0.2, p=0.2)))
    assert not [node for node in root.walk() if node.attributes.get("id") == "labels-table"]
    assert "labels.csv" in part(root, "labels-compared").whole_text()
