"""The places behind the demo's things: sky, ground and what stands on the horizon."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mmclf.data.demo.pen import Colour, Pen, shade
from mmclf.data.demo.tables import HORIZONS, Backdrop

SKIES: tuple[Colour, ...] = (
    (150, 198, 236),
    (186, 210, 224),
    (236, 196, 160),
    (204, 206, 210),
    (112, 168, 224),
)
WALLS: tuple[Colour, ...] = ((226, 214, 190), (190, 208, 200), (214, 190, 184), (200, 204, 220))


def paint(pen: Pen, backdrop: Backdrop, rng: np.random.Generator) -> None:
    """Fills the pen's whole box with the place."""
    horizon = HORIZONS[backdrop]
    if backdrop != "room":
        _sky(pen, rng, horizon)
    PLACES[backdrop](pen, rng, horizon)


def _sky(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    colour = SKIES[int(rng.integers(len(SKIES)))]
    bands = 12
    for band in range(bands):
        top = horizon * band / bands
        pen.box(0, top, 1, horizon + 0.02, shade(colour, 0.9 + 0.16 * band / bands))
    for _ in range(int(rng.integers(0, 4))):
        x, y = rng.uniform(0, 1), rng.uniform(0.05, horizon * 0.6)
        for dx, radius in ((-0.06, 0.035), (0.0, 0.055), (0.06, 0.04)):
            pen.disc(x + dx, y, radius, (246, 248, 250))
    if rng.random() < 0.3:
        pen.disc(rng.uniform(0.1, 0.9), 0.12, 0.06, (255, 236, 150))


def _houses(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    x = -0.05
    while x < 1:
        width, height = rng.uniform(0.1, 0.24), rng.uniform(0.12, horizon)
        wall = shade((176, 150, 132), rng.uniform(0.6, 1.3))
        pen.box(x, horizon - height, x + width, horizon + 0.02, wall)
        lit = shade(wall, 1.3) if rng.random() < 0.5 else (92, 106, 124)
        for column in range(3):
            for row in range(int(height / 0.08)):
                left, top = x + width * (0.12 + 0.3 * column), horizon - height + 0.03 + 0.08 * row
                pen.box(left, top, left + width * 0.17, top + 0.04, lit)
        x += width


def _hills(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    for _ in range(3):
        x, width, height = rng.uniform(-0.2, 1), rng.uniform(0.3, 0.7), rng.uniform(0.06, 0.2)
        green = shade((112, 150, 110), rng.uniform(0.75, 1.1))
        pen.ellipse(x - width / 2, horizon - height, x + width / 2, horizon + height, green)


def _street(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    _houses(pen, rng, horizon)
    pen.box(0, horizon, 1, 1, shade((150, 146, 140), rng.uniform(0.85, 1.1)))
    pen.box(0, horizon + 0.1, 1, 0.93, (94, 96, 102))
    for step in range(6):
        x = 0.02 + 0.18 * step
        pen.polygon([(x, 0.72), (x + 0.09, 0.72), (x + 0.1, 0.74), (x, 0.74)], (232, 228, 210))


def _park(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    for _ in range(9):
        x, radius = rng.uniform(0, 1), rng.uniform(0.07, 0.16)
        pen.disc(x, horizon - 0.05, radius, shade((76, 128, 74), rng.uniform(0.7, 1.2)))
    pen.box(0, horizon, 1, 1, shade((116, 172, 88), rng.uniform(0.8, 1.1)))
    bend = rng.uniform(0.2, 0.8)
    pen.polygon([(bend, horizon), (bend + 0.04, horizon), (0.9, 1), (0.4, 1)], (214, 196, 160))


def _field(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    _hills(pen, rng, horizon)
    grass: Colour = (148, 168, 84) if rng.random() < 0.6 else (202, 178, 108)
    pen.box(0, horizon, 1, 1, grass)
    for _ in range(24):
        x, y = rng.uniform(0, 1), rng.uniform(horizon + 0.03, 1)
        pen.stroke([(x, y), (x + 0.01, y - 0.03)], 0.006, shade(grass, 0.8))


def _water(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    if rng.random() < 0.5:
        _hills(pen, rng, horizon)
    sea: Colour = (62, 132, 172) if rng.random() < 0.6 else (86, 152, 150)
    pen.box(0, horizon, 1, 1, sea)
    for _ in range(16):
        x, y = rng.uniform(0, 1), rng.uniform(horizon + 0.03, 0.8)
        pen.stroke([(x, y), (x + 0.04, y - 0.008), (x + 0.08, y)], 0.006, shade(sea, 1.25))
    pen.polygon([(0, 0.86), (0.4, 0.8), (1, 0.85), (1, 1), (0, 1)], (230, 208, 160))


def _airport(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    pen.box(0.02, horizon - 0.1, rng.uniform(0.3, 0.8), horizon, (186, 192, 198))
    pen.box(0, horizon, 1, 1, (150, 168, 116))
    pen.box(0, horizon + 0.08, 1, 0.98, (120, 122, 126))
    for step in range(5):
        pen.box(0.04 + 0.22 * step, 0.84, 0.14 + 0.22 * step, 0.86, (240, 240, 236))


def _room(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    wall = WALLS[int(rng.integers(len(WALLS)))]
    pen.box(0, 0, 1, horizon, wall)
    pen.box(0, horizon - 0.03, 1, horizon, shade(wall, 1.15))
    pen.box(0, horizon, 1, 1, shade((172, 128, 88), rng.uniform(0.75, 1.15)))
    x = rng.uniform(0.05, 0.6)
    pen.box(x, 0.08, x + 0.28, 0.42, (250, 250, 246))
    pen.box(x + 0.015, 0.1, x + 0.265, 0.4, SKIES[int(rng.integers(len(SKIES)))])
    pen.box(x + 0.135, 0.08, x + 0.145, 0.42, (250, 250, 246))
    if rng.random() < 0.5:
        left, cloth = rng.uniform(0, 0.5), shade((130, 110, 140), rng.uniform(0.6, 1.4))
        pen.box(left, horizon - 0.2, left + 0.5, horizon + 0.08, cloth, round_by=0.05)
        pen.box(
            left - 0.03,
            horizon - 0.06,
            left + 0.53,
            horizon + 0.12,
            shade(cloth, 0.85),
            round_by=0.04,
        )
    if rng.random() < 0.5:
        pen.ellipse(0.1, 0.8, 0.9, 0.98, shade((190, 110, 100), rng.uniform(0.7, 1.3)))


def _tracks(pen: Pen, rng: np.random.Generator, horizon: float) -> None:
    (_hills if rng.random() < 0.6 else _houses)(pen, rng, horizon)
    pen.box(0, horizon, 1, 1, (158, 148, 134))
    for y in (0.66, 0.86):
        for step in range(21):
            pen.box(0.05 * step, y - 0.015, 0.05 * step + 0.02, y + 0.045, (108, 84, 64))
        pen.box(0, y, 1, y + 0.008, (196, 198, 204))
        pen.box(0, y + 0.03, 1, y + 0.038, (196, 198, 204))


PLACES: dict[Backdrop, Callable[[Pen, np.random.Generator, float], None]] = {
    "street": _street,
    "park": _park,
    "field": _field,
    "water": _water,
    "airport": _airport,
    "room": _room,
    "tracks": _tracks,
}
