"""What a page's details say of runs that are tracked."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from tracked_runs import EPOCHS, SIZES, TRAIN, shares, start, track, tracker_in

from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.read_details import part_sizes, read_details


def test_the_sizes_of_the_parts_are_those_of_the_run(tmp_path: Path) -> None:
    tracker = tracker_in(tmp_path)
    assert part_sizes(track(tracker, tmp_path)) == SIZES


def test_a_run_that_does_not_say_its_sizes_has_none(tmp_path: Path) -> None:
    parent = start(tracker_in(tmp_path), tmp_path, (0,))
    assert part_sizes(parent) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("plain", "better"), [(0.2, 0.01), (0.01, 0.2)])
def test_the_baseline_and_the_best_other_arm_have_details(
    tmp_path: Path, plain: float, better: float
) -> None:
    tracker = tracker_in(tmp_path)
    parent = start(tracker, tmp_path, (0,))
    track(tracker, tmp_path, parent.id, ("plain", 0), wrong=plain)
    track(tracker, tmp_path, parent.id, ("better", 0), wrong=better)
    details = read_details(tracker, collect(tracker, parent))
    assert details is not None
    assert list(details.arms) == ["plain", "better"]
    assert details.sizes == SIZES
    assert np.array_equal(details.label_shares["train"], shares(TRAIN))


@pytest.mark.parametrize("curves", ["epoch/", ""])
def test_curves_hold_each_epoch_once_in_runs_of_either_form(
    tmp_path: Path, curves: Literal["epoch/", ""]
) -> None:
    tracker = tracker_in(tmp_path)
    parent = start(tracker, tmp_path, (0,))
    track(tracker, tmp_path, parent.id, ("plain", 0), curves=curves)
    details = read_details(tracker, collect(tracker, parent))
    assert details is not None
    history = details.arms["plain"].history
    assert set(history) == {"train/loss", "val/loss", "train/f1_samples", "val/f1_samples"}
    expected = tuple((epoch, epoch / 4) for epoch in range(1, EPOCHS + 1))
    assert set(history.values()) == {(expected,)}
