"""Runs are paired by the test samples that they have in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from three_arms import N, definition, start, track, truth

from mmclf.storage.tracking import Tracker
from mmclf.studies.report.artifacts.common_samples import Decided, on_common_samples
from mmclf.studies.report.result.collect import collect
from mmclf.studies.run_key import RunKey

pytest_plugins = ["tracker_fixture"]

LACKING = 54  # of N samples: a tenth is missing


def test_another_test_set_is_not_compared_but_said(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    track(tracker, tmp_path, parent.id, "b", 0, 0.1, ids=LACKING - 1)
    result = collect(tracker, parent)
    assert result.arms[0].score is not None
    assert (result.arms[1].score, result.arms[1].difference) == (None, None)
    assert any("their test set is another one" in note for note in result.notes)


def test_the_baseline_has_the_test_set_that_counts(tracker: Tracker, tmp_path: Path) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    for arm in "bc":
        track(tracker, tmp_path, parent.id, arm, 0, 0.1, ids=N // 2)
    track(tracker, tmp_path, parent.id, "a", 0, 0.1)
    result = collect(tracker, parent)
    assert result.baseline.score is not None
    assert "not compared, as their test set is another one: b (seed 0), c (seed 0)" in result.notes


@pytest.mark.slow
def test_runs_that_lack_few_samples_are_compared_on_those_they_share(
    tracker: Tracker, tmp_path: Path
) -> None:
    parent = start(tracker, tmp_path, definition((0,)))
    track(tracker, tmp_path, parent.id, "b", 0, 0.1, ids=LACKING)
    track(tracker, tmp_path, parent.id, "a", 0, 0.3)
    result = collect(tracker, parent)
    assert result.arms[1].difference is not None
    whole = result.arms[1].score
    assert whole is not None
    assert whole.value == pytest.approx(result.arms[1].mean("test/f1_samples"))
    part = result.arms[0].score
    assert part is not None
    assert part.value != result.arms[0].mean("test/f1_samples")
    (note,) = [one for one in result.notes if "that all runs have" in one]
    assert f"of the {LACKING} test samples that all runs have; some runs have up to {N}" in note


def test_runs_together_may_lack_a_tenth_and_other_labels_take_nothing_away() -> None:
    ids = np.asarray([f"{place:02d}" for place in range(20)])
    labels = truth(20)

    def without(*lacking: int, turned: bool = False) -> Decided:
        kept = np.setdiff1d(np.arange(20), lacking)
        of = np.bitwise_xor(labels[kept], np.uint8(turned))
        return Decided(ids[kept], kept, of, of)

    tested = {
        RunKey("whole", 0): without(),
        RunKey("other labels", 0): without(5, turned=True),
        RunKey("one", 0): without(0),
        RunKey("two", 0): without(1),
        RunKey("three", 0): without(2),
    }
    paired, notes = on_common_samples(tested, tested[RunKey("whole", 0)])
    assert [arm for arm, _ in paired] == ["whole", "one", "two"]
    assert all(np.array_equal(one.ids, ids[2:]) for one in paired.values())
    others = "other labels (seed 0), three (seed 0)"
    assert notes[0] == f"not compared, as their test set is another one: {others}"
    assert "of the 18 test samples that all runs have; some runs have up to 20" in notes[1]


def test_samples_are_paired_by_id_in_whatever_order() -> None:
    ids = np.asarray(["c", "a", "b"])
    labels = np.eye(3, dtype=np.uint8)
    groups = np.array([7, 7, 2])
    one = Decided(ids, groups, labels, labels)
    turned = Decided(ids[::-1], groups[::-1], labels[::-1], labels[::-1])
    paired, notes = on_common_samples({RunKey("one", 0): one, RunKey("other", 0): turned}, one)
    assert notes == []
    assert np.array_equal(paired[RunKey("other", 0)].predicted, labels)
    assert np.array_equal(paired[RunKey("other", 0)].labels, paired[RunKey("one", 0)].labels)
    assert paired[RunKey("other", 0)].groups.tolist() == [7, 7, 2]
