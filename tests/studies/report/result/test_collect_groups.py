"""Test samples that belong together are resampled together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tracked_runs import ARMS, TEST, start, track, tracker_in

from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.study_result import StudyResult

pytestmark = pytest.mark.slow


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
    actual = studied(tmp_path, sizes)
    score = actual.arms[0].score
    assert score is not None
    assert score.groups == TEST / 5
    assert any(f"{TEST} test samples are in {TEST // 5} groups" in note for note in actual.notes)


def test_a_group_for_each_sample_is_as_no_groups(tmp_path: Path) -> None:
    actual, expected = studied(tmp_path / "each", (1, 1)), studied(tmp_path / "none", (None, None))
    assert [arm.score for arm in actual.arms] == [arm.score for arm in expected.arms]
    assert [arm.difference for arm in actual.arms] == [arm.difference for arm in expected.arms]
    assert actual.notes == expected.notes


def test_a_group_for_some_samples_alone_is_damage(tmp_path: Path) -> None:
    tracker = tracker_in(tmp_path)
    parent = start(tracker, tmp_path, (0,))
    track(tracker, tmp_path, parent.id, (ARMS[0], 0))
    run = track(tracker, tmp_path, parent.id, (ARMS[1], 0), wrong=0.1, group_size=5)
    path = tmp_path / "artifacts" / run.id / "artifacts" / "predictions" / "test.npz"
    with np.load(path) as held:
        np.savez(path, **{**held, "groups": held["groups"][1:]})
    result = collect(tracker, parent)
    assert [one.id for one in result.arms[1].failed] == [run.id]
    assert "test.npz is damaged" in result.arms[1].failed[0].tags["mmclf.error"]
