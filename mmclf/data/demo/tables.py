"""How often demo things occur, alone and together, where, and in which proportions."""

from __future__ import annotations

from typing import Literal, NamedTuple

Backdrop = Literal["street", "park", "field", "water", "airport", "room", "tracks"]


class Anchor(NamedTuple):
    """A scene's main category: its weight, and the chance of each companion."""

    weight: float
    companions: dict[int, float]


# Person stands on three quarters of the images, parking meters on one to two percent.
ANCHORS: dict[int, Anchor] = {
    1: Anchor(0.270, {3: 0.10, 15: 0.07, 18: 0.05, 8: 0.03, 10: 0.02, 16: 0.02, 2: 0.03}),
    2: Anchor(0.048, {1: 0.80, 3: 0.20, 15: 0.05, 10: 0.05}),
    3: Anchor(0.110, {1: 0.68, 8: 0.16, 10: 0.20, 6: 0.10, 13: 0.06, 14: 0.03, 2: 0.05}),
    4: Anchor(0.052, {1: 0.85, 3: 0.22, 8: 0.08}),
    5: Anchor(0.048, {1: 0.40, 8: 0.12, 3: 0.04}),
    6: Anchor(0.052, {1: 0.75, 3: 0.30, 10: 0.12, 8: 0.06}),
    7: Anchor(0.052, {1: 0.60, 15: 0.08, 10: 0.08}),
    8: Anchor(0.050, {1: 0.70, 3: 0.35, 10: 0.10}),
    9: Anchor(0.048, {1: 0.72, 16: 0.10, 15: 0.04}),
    10: Anchor(0.030, {1: 0.60, 3: 0.60, 8: 0.12, 6: 0.10}),
    11: Anchor(0.028, {1: 0.45, 3: 0.30, 18: 0.06}),
    13: Anchor(0.022, {1: 0.45, 3: 0.30, 8: 0.10}),
    14: Anchor(0.014, {1: 0.60, 3: 0.65, 2: 0.10}),
    15: Anchor(0.045, {1: 0.80, 18: 0.10, 16: 0.10, 2: 0.06}),
    16: Anchor(0.046, {1: 0.45, 9: 0.08, 15: 0.06}),
    17: Anchor(0.050, {1: 0.55, 18: 0.07, 15: 0.04}),
    18: Anchor(0.055, {1: 0.80, 15: 0.06, 3: 0.06}),
    19: Anchor(0.048, {1: 0.88, 18: 0.07, 8: 0.04}),
}

_TOWN: dict[Backdrop, float] = {"street": 0.85, "park": 0.15}
_GREEN: dict[Backdrop, float] = {"park": 0.45, "field": 0.35, "street": 0.1, "water": 0.1}

BACKDROPS: dict[int, dict[Backdrop, float]] = {
    1: {"street": 0.2, "park": 0.2, "field": 0.15, "water": 0.15, "room": 0.25, "tracks": 0.05},
    2: {"street": 0.6, "park": 0.3, "field": 0.1},
    3: {"street": 0.8, "park": 0.1, "field": 0.1},
    4: {"street": 0.6, "park": 0.2, "field": 0.2},
    5: {"airport": 0.6, "field": 0.15, "water": 0.15, "street": 0.1},
    6: _TOWN,
    7: {"tracks": 0.9, "field": 0.1},
    8: {"street": 0.65, "field": 0.2, "airport": 0.05, "park": 0.1},
    9: {"water": 1.0},
    10: _TOWN,
    11: _TOWN,
    13: _TOWN,
    14: _TOWN,
    15: {"park": 0.5, "street": 0.25, "water": 0.2, "room": 0.05},
    16: {"park": 0.3, "field": 0.2, "water": 0.4, "street": 0.1},
    17: {"room": 0.75, "park": 0.15, "street": 0.1},
    18: {"room": 0.3, "park": 0.35, "field": 0.2, "water": 0.15},
    19: _GREEN,
}

# Where the ground (or the floor, or the sea) begins, as a share of the picture's height.
HORIZONS: dict[Backdrop, float] = {
    "street": 0.52,
    "park": 0.50,
    "field": 0.45,
    "water": 0.42,
    "airport": 0.62,
    "room": 0.64,
    "tracks": 0.50,
}

# Category: (height at scale 1 as a share of the picture's height, width over height).
PROPORTIONS: dict[int, tuple[float, float]] = {
    1: (0.56, 0.45),
    2: (0.38, 1.6),
    3: (0.32, 2.2),
    4: (0.38, 1.5),
    5: (0.34, 2.3),
    6: (0.50, 1.9),
    7: (0.44, 2.5),
    8: (0.48, 1.8),
    9: (0.46, 1.3),
    10: (0.66, 0.34),
    11: (0.42, 0.62),
    13: (0.64, 0.46),
    14: (0.60, 0.34),
    15: (0.32, 1.9),
    16: (0.26, 1.3),
    17: (0.42, 0.95),
    18: (0.40, 1.25),
    19: (0.54, 1.25),
}

# What a person sits on: (chance that one does, rider's height over the mount's height, where the
# rider's lowest point is above the mount's as a share of the mount's height).
MOUNTS: dict[int, tuple[float, float, float]] = {
    2: (0.65, 1.05, 0.14),
    4: (0.65, 1.05, 0.22),
    15: (0.60, 1.30, 0.02),
    19: (0.65, 0.80, 0.32),
}

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (206, 48, 44),
    "blue": (46, 98, 188),
    "green": (58, 146, 78),
    "yellow": (240, 200, 58),
    "white": (238, 238, 232),
    "black": (44, 44, 50),
    "orange": (234, 132, 42),
    "gray": (142, 146, 152),
    "brown": (138, 92, 56),
    "purple": (124, 80, 168),
    "pink": (232, 138, 164),
}

# Animals come in fur, everything else in paint.
FURS: tuple[str, ...] = ("brown", "black", "white", "gray", "orange")

EXTRAS: dict[Backdrop, tuple[str, ...]] = {
    "street": ("tree", "lamp", "mailbox", "sign", "umbrella", "plant", "tower"),
    "park": ("tree", "bush", "lamp", "umbrella", "ball", "kite", "tree"),
    "field": ("tree", "bush", "sheep", "kite", "rock", "elephant"),
    "water": ("umbrella", "kite", "rock", "ball", "tower"),
    "airport": ("tower", "lamp", "box", "sign"),
    "room": ("plant", "table", "lamp", "box", "teddy", "cake"),
    "tracks": ("tree", "lamp", "sign", "tower", "box", "clock"),
}
