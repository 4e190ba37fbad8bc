from __future__ import annotations

import numpy as np

from mmclf.report.charts.placing import Floats, Spot, spots


def test_labels_of_points_close_together_keep_off_each_other() -> None:
    points = np.asarray([[100.0, 100.0], [103.0, 101.0], [101.0, 99.0]])
    found = spots(
        points,
        ["first arm", "second arm", "third arm"],
        np.zeros((0, 2)),
        np.asarray([300.0, 200.0]),
    )
    boxes = [covered(point, 9, spot) for point, spot in zip(points, found, strict=True)]
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
    assert spot.side == "right"
