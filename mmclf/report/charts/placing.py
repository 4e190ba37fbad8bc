"""Where labels can stand beside points without covering each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.report.charts.style import SMALL

Floats = NDArray[np.float64]
ADVANCE = 0.6  # of a character, of the size of the type
GAP = 8.5  # between a point and its label, in points
COVERED_POINT, OUTSIDE = 60.0, 40.0  # what either costs, in square points of overlap


@dataclass(frozen=True)
class Spot:
    """A label's place beside its point: offset in points, and which side of it is there."""

    x: float
    y: float
    side: str


SPOTS = (
    Spot(GAP, 0, "left"),
    Spot(-GAP, 0, "right"),
    Spot(0, GAP + SMALL / 2, "center"),
    Spot(0, -GAP - SMALL / 2, "center"),
    Spot(GAP, GAP, "left"),
    Spot(GAP, -GAP, "left"),
    Spot(-GAP, GAP, "right"),
    Spot(-GAP, -GAP, "right"),
)
Box = tuple[float, float, float, float]


def spots(points: Floats, labels: Sequence[str], others: Floats, size: Floats) -> list[Spot]:
    """A spot for each label (M) at its point (M, 2), one after the other where it covers least.

    `others` (K, 2) are points that labels keep off too; all are in typographic points within an
    area of the `size` (2,).
    """
    taken: list[Box] = []
    found = []
    marks = np.concatenate([points, others])
    for (x, y), label in zip(points, labels, strict=True):
        boxes = [_box(x, y, label, spot) for spot in SPOTS]
        costs = [_cost(box, taken, marks, size) for box in boxes]
        best = int(np.argmin(costs))
        taken.append(boxes[best])
        found.append(SPOTS[best])
    return found


def _box(x: float, y: float, label: str, spot: Spot) -> Box:
    width = ADVANCE * SMALL * len(label)
    left = x + spot.x - {"left": 0.0, "center": width / 2, "right": width}[spot.side]
    return left, y + spot.y - SMALL / 2, left + width, y + spot.y + SMALL / 2


def _cost(box: Box, taken: Sequence[Box], marks: Floats, size: Floats) -> float:
    left, bottom, right, top = box
    overlap = sum(
        max(0.0, min(right, other[2]) - max(left, other[0]))
        * max(0.0, min(top, other[3]) - max(bottom, other[1]))
        for other in taken
    )
    x, y = marks.T
    covered = int(((left < x) & (x < right) & (bottom < y) & (y < top)).sum())
    outside = max(0.0, -left, right - size[0]) + max(0.0, -bottom, top - size[1])
    return float(overlap + COVERED_POINT * covered + OUTSIDE * outside)
