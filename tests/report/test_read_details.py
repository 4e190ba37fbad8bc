"""What a page's details say of runs that are tracked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tracked_runs import EPOCHS, TEST, TRAIN, VAL, shares, start, track, tracker_in

from mmclf.report.collect import collect
from mmclf.report.read_details import part_sizes, read_details

KNOWN = {"train": TRAIN, "val": VAL, "test": TEST}
UNKNOWN = {"val": VAL, "test": TEST}
TWO_MORE = EPOCHS * TRAIN + 2 * (TRAIN + VAL)


@pytest.mark.parametrize(
    ("seen", "refit", "sizes"),
    [
        (EPOCHS * TRAIN, False, KNOWN),
        (TWO_MORE, True, KNOWN),
        # What was gone through does not come to whole samples, or not to whole labelled ones.
        (TWO_MORE + 1, True, UNKNOWN),
        (EPOCHS * TRAIN + 1, False, UNKNOWN),
        (EPOCHS * (TRAIN + 1), False, UNKNOWN),
        (0, False, UNKNOWN),
    ],
)
def test_the_sizes_of_the_parts_are_those_of_the_run(
    tmp_path: Path, seen: int, refit: bool, sizes: dict[str, int]
) -> None:
    tracker = tracker_in(tmp_path)
    run = track(tracker, tmp_path, seen=seen, refit=refit)
    assert part_sizes(tracker, run) == sizes


def test_a_run_without_a_history_does_not_tell_how_many_train(tmp_path: Path) -> None:
    tracker = tracker_in(tmp_path)
    assert part_sizes(tracker, track(tracker, tmp_path, epochs=0)) == UNKNOWN


@pytest.mark.parametrize(("plain", "better"), [(0.2, 0.01), (0.01, 0.2)])
def test_the_baseline_and_the_best_other_arm_have_details(
    tmp_path: Path, plain: float, better: float
) -> None:
    tracker = tracker_in(tmp_path)
    parent = start(tracker, tmp_path, (0,))
    track(tracker, tmp_path, parent.id, ("plain", 0), wrong=plain)
    track(tracker, tmp_path, parent.id, ("better", 0), wrong=better)
    found = read_details(tracker, collect(tracker, parent))
    assert found is not None
    assert list(found.arms) == ["plain", "better"]
    assert found.sizes == KNOWN
    assert np.array_equal(found.label_shares["train"], shares(TRAIN))
    assert [len(curve) for curve in found.arms["plain"].history["val/loss"]] == [EPOCHS]
