from __future__ import annotations

import numpy as np

from mmclf.plots.placing import Floats, Spot, spots


def test_labels_of_points_close_together_keep_off_each_other() -> None:
    points = np.asarray([[100.0, 100.0], [103.0, 101.0], [101.0, 99.0]])
    found = spots(
        points,
        ["first arm", "second arm", "third arm"],
        np.zeros((0, 2)),
        np.asarray([300.0, 200.0]),
    )
    boxes = [covered(point, 9, spot) for point, spot in zip(points, found, strict=True) if spot]
    assert len(boxes) == 3
    for place, box in enumerate(boxes):
        for other in boxes[:place]:
            assert (
                box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] or other[3] <= box[1]
            )


def covered(point: Floats, letters: int, spot: Spot) -> tuple[float, ...]:
    """The box of a label whose letters are narrow."""
    width = 4.0 * letters
    left = point[0] + spot.x - {"left": 0.0, "center": width / 2, "right": width}[spot.side]
    return left, point[1] + spot.y - 3, left + width, point[1] + spot.y + 3


def test_a_label_at_the_edge_stands_inside() -> None:
    size = np.asarray([300.0, 200.0])
    (spot,) = spots(np.asarray([[295.0, 100.0]]), ["a long label"], np.zeros((0, 2)), size)
    assert spot is not None
    assert spot.side == "right"


def test_a_label_without_a_free_place_is_left_out_and_the_first_ones_are_not() -> None:
    points = np.asarray([[100.0 + place % 3, 100.0 + place % 2] for place in range(30)])
    names = [f"arm {place} of many" for place in range(30)]
    found = spots(points, names, np.zeros((0, 2)), np.asarray([300.0, 200.0]))
    assert found[0] is not None
    assert None in found
    there = [(point, spot) for point, spot in zip(points, found, strict=True) if spot]
    boxes = [covered(point, 14, spot) for point, spot in there]
    for place, box in enumerate(boxes):
        for other in boxes[:place]:
            assert (
                box[2] <= other[0] or other[2] <= box[0] or box[3] <= other[1] or other[3] <= box[1]
            )


def test_a_label_longer_than_the_area_is_left_out() -> None:
    size = np.asarray([100.0, 200.0])
    assert spots(np.asarray([[50.0, 100.0]]), ["x" * 40], np.zeros((0, 2)), size) == [None]
