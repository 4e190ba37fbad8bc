"""How the demo's vehicles look, each seen from the side and heading to the right."""

from __future__ import annotations

from mmclf.data.demo.pen import Colour, Paint, Pen, shade

TYRE: Colour = (30, 30, 34)
RIM: Colour = (176, 178, 182)
GLASS: Colour = (178, 214, 232)
LAMP: Colour = (255, 232, 140)


def wheel(pen: Pen, x: float, y: float, radius: float) -> None:
    """A tyre with a rim."""
    pen.disc(x, y, radius, TYRE)
    pen.disc(x, y, radius * 0.55, RIM)
    pen.disc(x, y, radius * 0.18, TYRE)


def bicycle(pen: Pen, paint: Paint) -> None:
    """Two thin wheels with spokes, a diamond frame, saddle and handlebar."""
    for x in (0.2, 0.8):
        for dx, dy in ((0.12, 0.19), (0.17, 0.0), (0.12, -0.19), (0.0, 0.27)):
            pen.stroke([(x - dx, 0.71 - dy), (x + dx, 0.71 + dy)], 0.006, RIM)
        pen.ring(x, 0.71, 0.29, 0.04, TYRE)
    frame = paint.main
    pen.stroke([(0.2, 0.71), (0.37, 0.32), (0.7, 0.3), (0.46, 0.73), (0.2, 0.71)], 0.04, frame)
    pen.stroke([(0.35, 0.24), (0.46, 0.73)], 0.04, frame)
    pen.stroke([(0.8, 0.71), (0.68, 0.16)], 0.04, frame)
    pen.stroke([(0.62, 0.12), (0.68, 0.16), (0.76, 0.14)], 0.04, TYRE)
    pen.stroke([(0.29, 0.22), (0.4, 0.22)], 0.06, TYRE)
    pen.ring(0.46, 0.73, 0.07, 0.025, TYRE)
    if paint.variant % 3 == 0:
        pen.box(0.7, 0.2, 0.88, 0.38, paint.other, round_by=0.03)


def motorcycle(pen: Pen, paint: Paint) -> None:
    """Two thick wheels, tank, engine, exhaust and headlight; a scooter as one variant."""
    wheel(pen, 0.18, 0.75, 0.25)
    wheel(pen, 0.83, 0.75, 0.25)
    pen.stroke([(0.83, 0.75), (0.68, 0.25)], 0.05, RIM)
    pen.stroke([(0.68, 0.25), (0.6, 0.16)], 0.045, TYRE)
    pen.disc(0.75, 0.34, 0.085, LAMP)
    if paint.variant % 3 == 0:
        pen.polygon([(0.1, 0.45), (0.42, 0.42), (0.45, 0.7), (0.65, 0.7), (0.66, 0.3)], paint.main)
        pen.polygon([(0.08, 0.72), (0.1, 0.45), (0.46, 0.45), (0.7, 0.72), (0.7, 0.8)], paint.main)
        pen.polygon([(0.63, 0.25), (0.72, 0.25), (0.8, 0.7), (0.66, 0.8)], shade(paint.main, 1.15))
    else:
        pen.polygon([(0.2, 0.72), (0.3, 0.42), (0.68, 0.35), (0.62, 0.8), (0.34, 0.82)], TYRE)
        pen.disc(0.48, 0.66, 0.13, RIM)
        pen.stroke([(0.42, 0.82), (0.06, 0.84)], 0.06, RIM)
        pen.polygon([(0.4, 0.42), (0.46, 0.28), (0.66, 0.26), (0.68, 0.42)], paint.main)
        pen.polygon([(0.03, 0.52), (0.1, 0.42), (0.3, 0.44), (0.24, 0.56)], paint.main)
    pen.stroke([(0.16, 0.38), (0.3, 0.4), (0.44, 0.39)], 0.08, TYRE)


def car(pen: Pen, paint: Paint) -> None:
    """A sedan, a hatchback or a beetle-like small car with two windows and two wheels."""
    roof = ((0.3, 0.66), (0.14, 0.7), (0.26, 0.62))[paint.variant % 3]
    front = (0.84, 0.88, 0.8)[paint.variant % 3]
    cabin = [(roof[0] - 0.14, 0.46), (roof[0], 0.1), (roof[1], 0.1), (front, 0.46)]
    pen.polygon(cabin, shade(paint.main, 0.92))
    pen.polygon([(roof[0] - 0.08, 0.45), (roof[0] + 0.02, 0.17), (0.46, 0.17), (0.46, 0.45)], GLASS)
    pen.polygon([(0.5, 0.45), (0.5, 0.17), (roof[1] - 0.01, 0.17), (front - 0.06, 0.45)], GLASS)
    pen.box(0.02, 0.42, 0.98, 0.8, paint.main, round_by=0.14)
    pen.box(0.01, 0.7, 0.99, 0.8, shade(paint.main, 0.6), round_by=0.04)
    pen.stroke([(0.48, 0.46), (0.48, 0.7)], 0.015, shade(paint.main, 0.6))
    pen.box(0.92, 0.5, 0.98, 0.6, LAMP, round_by=0.04)
    pen.box(0.02, 0.5, 0.05, 0.6, (200, 40, 40), round_by=0.02)
    wheel(pen, 0.22, 0.79, 0.2)
    wheel(pen, 0.78, 0.79, 0.2)


def bus(pen: Pen, paint: Paint) -> None:
    """A long box with a row of windows, a door and a stripe; double-decked as one variant."""
    double = paint.variant % 3 == 0
    pen.box(0.01, 0.02 if double else 0.2, 0.99, 0.9, paint.main, round_by=0.06)
    rows = ((0.1, 0.3), (0.44, 0.64)) if double else ((0.29, 0.56),)
    for top, bottom in rows:
        for x in (0.04, 0.19, 0.34, 0.49, 0.64):
            pen.box(x, top, x + 0.125, bottom, GLASS, round_by=0.02)
        pen.box(0.91, top, 0.985, bottom, GLASS, round_by=0.02)
    pen.box(0.8, rows[-1][0], 0.89, 0.86, shade(GLASS, 0.75), round_by=0.02)
    pen.stroke([(0.845, rows[-1][0]), (0.845, 0.86)], 0.012, shade(paint.main, 0.6))
    pen.box(0.02, 0.7, 0.78, 0.75, paint.other)
    pen.box(0.94, 0.76, 0.985, 0.82, LAMP, round_by=0.02)
    for x in (0.2, 0.7):
        wheel(pen, x, 0.89, 0.1)


def truck(pen: Pen, paint: Paint) -> None:
    """A cab before a cargo box, an open load or a tank, on six wheels."""
    pen.box(0.02, 0.72, 0.98, 0.82, TYRE)
    if paint.variant % 3 == 0:
        pen.box(0.02, 0.2, 0.68, 0.72, paint.other, round_by=0.22)
        pen.box(0.3, 0.14, 0.4, 0.22, TYRE)
    elif paint.variant % 3 == 1:
        pen.polygon([(0.03, 0.5), (0.2, 0.18), (0.5, 0.14), (0.67, 0.5)], (120, 92, 62))
        pen.polygon([(0.0, 0.42), (0.69, 0.42), (0.65, 0.74), (0.06, 0.74)], paint.other)
    else:
        pen.box(0.01, 0.06, 0.69, 0.74, paint.other)
        for x in (0.15, 0.29, 0.43, 0.57):
            pen.stroke([(x, 0.08), (x, 0.72)], 0.01, shade(paint.other, 0.8))
    cab = [(0.72, 0.22), (0.87, 0.22), (0.93, 0.5), (0.99, 0.54), (0.99, 0.8), (0.72, 0.8)]
    pen.polygon(cab, paint.main)
    pen.polygon([(0.77, 0.28), (0.85, 0.28), (0.9, 0.5), (0.77, 0.5)], GLASS)
    pen.stroke([(0.71, 0.72), (0.71, 0.12)], 0.03, RIM)
    pen.box(0.95, 0.62, 0.99, 0.7, LAMP, round_by=0.02)
    for x in (0.12, 0.27, 0.84):
        wheel(pen, x, 0.86, 0.13)


def train(pen: Pen, paint: Paint) -> None:
    """A modern train with a slanted nose, or a steam engine with a plume."""
    pen.box(0.0, 0.95, 1.0, 0.98, (110, 96, 84))
    (_steam_engine if paint.variant % 2 == 0 else _electric_train)(pen, paint)


def _electric_train(pen: Pen, paint: Paint) -> None:
    pen.box(0.0, 0.2, 0.4, 0.84, paint.main, round_by=0.04)
    pen.polygon([(0.42, 0.84), (0.42, 0.2), (0.86, 0.2), (0.99, 0.62), (0.99, 0.84)], paint.main)
    pen.box(0.0, 0.64, 0.98, 0.7, paint.other)
    for x in (0.03, 0.15, 0.27, 0.45, 0.57, 0.69):
        pen.box(x, 0.3, x + 0.09, 0.54, GLASS, round_by=0.03)
    pen.polygon([(0.82, 0.28), (0.86, 0.28), (0.94, 0.54), (0.82, 0.54)], shade(GLASS, 0.6))
    pen.stroke([(0.5, 0.2), (0.56, 0.06), (0.62, 0.2)], 0.02, TYRE)
    for x in (0.07, 0.15, 0.28, 0.36, 0.5, 0.58, 0.8, 0.88):
        pen.disc(x, 0.87, 0.08, TYRE)


def _steam_engine(pen: Pen, paint: Paint) -> None:
    for x, y, radius in (
        (0.8, 0.12, 0.09),
        (0.7, 0.07, 0.11),
        (0.58, 0.1, 0.1),
        (0.49, 0.06, 0.06),
    ):
        pen.disc(x, y, radius, (226, 226, 230))
    for x in (0.0, 0.25):
        pen.box(x, 0.34, x + 0.23, 0.84, paint.other, round_by=0.03)
        pen.box(x + 0.03, 0.42, x + 0.1, 0.58, GLASS)
        pen.box(x + 0.13, 0.42, x + 0.2, 0.58, GLASS)
    pen.box(0.5, 0.22, 0.66, 0.82, paint.main)
    pen.box(0.48, 0.17, 0.68, 0.24, TYRE)
    pen.box(0.53, 0.32, 0.62, 0.5, GLASS)
    pen.box(0.64, 0.42, 0.94, 0.78, paint.main, round_by=0.1)
    pen.polygon([(0.79, 0.44), (0.77, 0.18), (0.89, 0.18), (0.86, 0.44)], TYRE)
    pen.disc(0.94, 0.58, 0.06, LAMP)
    pen.polygon([(0.9, 0.78), (0.96, 0.78), (1.0, 0.95), (0.9, 0.95)], (180, 50, 44))
    for x in (0.06, 0.17, 0.31, 0.42):
        pen.disc(x, 0.87, 0.08, TYRE)
    for x in (0.56, 0.69, 0.82):
        wheel(pen, x, 0.84, 0.12)
    pen.stroke([(0.56, 0.86), (0.82, 0.86)], 0.03, RIM)
