"""Runs paired by the test samples that they have in common, and by the groups of these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tracked_runs import ARMS, TEST, start, track, tracker_in

from mmclf.studies.report.collect import collect
from mmclf.studies.report.common_samples import Decided, on_common_samples
from mmclf.studies.report.results import StudyResult
from mmclf.studies.run_key import RunKey


def test_runs_together_may_lack_a_tenth_and_other_labels_take_nothing_away() -> None:
    ids = np.asarray([f"{place:02d}" for place in range(20)])
    labels = (np.random.default_rng(0).random((20, 3)) < 0.4).astype(np.uint8)

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


def studied(folder: Path, sizes: tuple[int | None, int | None]) -> StudyResult:
    """A study of two arms, whose runs tell groups of so many samples, or none."""
    folder.mkdir(exist_ok=True)
    tracker = tracker_in(folder)
    parent = start(tracker, folder, (0,))
    for arm, wrong, size in zip(ARMS, (0.3, 0.1), sizes, strict=True):
        track(tracker, folder, parent.id, (arm, 0), wrong=wrong, group_size=size)
    return collect(tracker, parent)


@pytest.mark.parametrize("sizes", [(5, 5), (5, None), (2, 5)])
def test_samples_that_belong_together_are_resampled_together(
    tmp_path: Path, sizes: tuple[int | None, int | None]
) -> None:
    found = studied(tmp_path, sizes)
    score = found.arms[0].score
    assert score is not None
    assert score.freedom == TEST / 5 - 1
    assert any(f"{TEST} test samples are in {TEST // 5} groups" in note for note in found.notes)


def test_a_group_for_each_sample_is_as_no_groups(tmp_path: Path) -> None:
    found, expected = studied(tmp_path / "each", (1, 1)), studied(tmp_path / "none", (None, None))
    assert [arm.score for arm in found.arms] == [arm.score for arm in expected.arms]
    assert [arm.difference for arm in found.arms] == [arm.difference for arm in expected.arms]
    assert found.notes == expected.notes


def test_a_group_for_some_samples_alone_is_damage(tmp_path: Path) -> None:
    tracker = tracker_in(tmp_path)
    parent = start(tracker, tmp_path, (0,))
    track(tracker, tmp_path, parent.id, (ARMS[0], 0))
    run = track(tracker, tmp_path, parent.id, (ARMS[1], 0), wrong=0.1, group_size=5)
    path = tmp_path / "artifacts" / run.id / "artifacts" / "predictions" / "test.npz"
    with np.load(path) as held:
        np.savez(path, **{**held, "groups": held["groups"][1:]})
    found = collect(tracker, parent)
    assert [one.id for one in found.arms[1].failed] == [run.id]
    assert "test.npz is damaged" in found.arms[1].failed[0].tags["mmclf.error"]
