"""Where labels can stand beside points without covering each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmclf.plots.style import SMALL

Floats = NDArray[np.float64]
ADVANCE = 0.6  # of a character, of the size of the type
LINE = 1.2  # from the foot of a letter to the head of another, of the size of the type
GAP = 10.0  # between a point and its label, in points


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


def spots(points: Floats, labels: Sequence[str], others: Floats, size: Floats) -> list[Spot | None]:
    """A spot for each label (M) at its point (M, 2), one after the other where it covers least.

    None for a label that would cover an earlier one, or leave the area, wherever it stood.
    `others` (K, 2) are points that labels keep off if they can; all are in typographic points
    within an area of the `size` (2,).
    """
    taken: list[Box] = []
    found: list[Spot | None] = []
    marks = np.concatenate([points, others])
    for (x, y), label in zip(points, labels, strict=True):
        boxes = {spot: _box(x, y, label, spot) for spot in SPOTS}
        free = {spot: box for spot, box in boxes.items() if _is_free(box, taken, size)}
        best = min(free, key=lambda spot: _covered(free[spot], marks), default=None)
        if best is not None:
            taken.append(free[best])
        found.append(best)
    return found


def _box(x: float, y: float, label: str, spot: Spot) -> Box:
    width = ADVANCE * SMALL * len(label)
    left = x + spot.x - {"left": 0.0, "center": width / 2, "right": width}[spot.side]
    half = LINE * SMALL / 2
    return left, y + spot.y - half, left + width, y + spot.y + half


def _is_free(box: Box, taken: Sequence[Box], size: Floats) -> bool:
    left, bottom, right, top = box
    if left < 0 or bottom < 0 or right > size[0] or top > size[1]:
        return False
    return all(
        right <= other[0] or other[2] <= left or top <= other[1] or other[3] <= bottom
        for other in taken
    )


def _covered(box: Box, marks: Floats) -> int:
    """How many of the marks lie within the box."""
    left, bottom, right, top = box
    x, y = marks.T
    return int(((left < x) & (x < right) & (bottom < y) & (y < top)).sum())
