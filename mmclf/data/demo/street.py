"""How the demo's street furniture looks: lights, hydrants, signs, meters and benches."""

from __future__ import annotations

import math

from mmclf.data.demo.pen import Colour, Paint, Pen, Point, shade

STEEL: Colour = (120, 124, 130)
DARK: Colour = (44, 46, 50)
WHITE: Colour = (246, 246, 244)

# The letters of STOP as pen strokes in a unit box.
LETTERS: tuple[tuple[Point, ...], ...] = (
    ((0.9, 0.1), (0.2, 0.1), (0.2, 0.48), (0.85, 0.52), (0.85, 0.9), (0.1, 0.9)),
    ((0.1, 0.1), (0.9, 0.1), (0.5, 0.1), (0.5, 0.9)),
    ((0.2, 0.1), (0.85, 0.1), (0.85, 0.9), (0.2, 0.9), (0.2, 0.1)),
    ((0.2, 0.9), (0.2, 0.1), (0.85, 0.1), (0.85, 0.5), (0.2, 0.5)),
)


def traffic_light(pen: Pen, paint: Paint) -> None:
    """A pole with a box of three lamps, one of them lit."""
    pen.box(0.44, 0.4, 0.56, 1.0, STEEL)
    pen.box(
        0.18, 0.0, 0.82, 0.52, (214, 170, 40) if paint.variant % 2 == 0 else STEEL, round_by=0.04
    )
    pen.box(0.24, 0.02, 0.76, 0.5, DARK, round_by=0.03)
    lamps: tuple[Colour, ...] = ((244, 52, 44), (250, 196, 46), (60, 216, 96))
    for place, lamp in enumerate(lamps):
        lit = place == paint.variant % 3
        if lit:
            pen.disc(0.5, 0.1 + 0.16 * place, 0.075, shade(lamp, 0.7))
        pen.disc(0.5, 0.1 + 0.16 * place, 0.062, lamp if lit else shade(lamp, 0.35))


def fire_hydrant(pen: Pen, paint: Paint) -> None:
    """A stout post with a dome, a foot and two capped outlets."""
    body = ((206, 48, 44), (240, 200, 58), paint.main)[paint.variant % 3]
    pen.box(0.12, 0.9, 0.88, 1.0, shade(body, 0.7), round_by=0.03)
    pen.box(0.26, 0.3, 0.74, 0.92, body, round_by=0.03)
    pen.ellipse(0.24, 0.1, 0.76, 0.48, body)
    pen.box(0.42, 0.02, 0.58, 0.14, shade(body, 0.75), round_by=0.02)
    pen.box(0.16, 0.3, 0.84, 0.38, shade(body, 0.8), round_by=0.03)
    for side in (0.04, 0.72):
        pen.box(side, 0.46, side + 0.24, 0.64, shade(body, 0.85), round_by=0.03)
    pen.disc(0.5, 0.56, 0.12, shade(body, 0.65))
    pen.disc(0.5, 0.56, 0.08, paint.other)
    pen.box(0.32, 0.4, 0.38, 0.9, shade(body, 1.3), round_by=0.02)


def stop_sign(pen: Pen, _: Paint) -> None:
    """A red octagon that says STOP, on a pole."""
    pen.box(0.46, 0.3, 0.54, 1.0, STEEL)
    aspect = pen.height / pen.width
    for radius, fill in ((0.23, WHITE), (0.21, (196, 28, 34))):
        corners = [math.pi * (2 * k + 1) / 8 for k in range(8)]
        pen.polygon(
            [(0.5 + radius * aspect * math.cos(a), 0.24 + radius * math.sin(a)) for a in corners],
            fill,
        )
    for place, letter in enumerate(LETTERS):
        # The word reads from left to right whichever way the sign is flipped.
        slot = 3 - place if pen.flip else place
        x = 0.13 + 0.19 * slot
        pen.part(x, 0.18, x + 0.16, 0.3).unflipped().stroke(letter, 0.14, WHITE)


def parking_meter(pen: Pen, paint: Paint) -> None:
    """A rounded head with a dial and a coin slot, on a pole."""
    head = shade(paint.main, 0.8) if paint.variant % 2 == 0 else STEEL
    pen.box(0.44, 0.4, 0.56, 1.0, shade(STEEL, 0.7))
    pen.box(0.3, 0.95, 0.7, 1.0, shade(STEEL, 0.6))
    pen.ellipse(0.16, 0.0, 0.84, 0.3, head)
    pen.box(0.16, 0.14, 0.84, 0.44, head, round_by=0.04)
    pen.ellipse(0.26, 0.04, 0.74, 0.24, WHITE)
    pen.stroke([(0.5, 0.18), (0.62, 0.09)], 0.015, (206, 48, 44))
    pen.stroke([(0.34, 0.14), (0.38, 0.09)], 0.01, DARK)
    pen.box(0.44, 0.27, 0.56, 0.3, DARK)
    pen.box(0.3, 0.33, 0.7, 0.4, (240, 200, 58), round_by=0.01)


def bench(pen: Pen, paint: Paint) -> None:
    """Slats for the back and the seat, on dark legs with arm rests."""
    plank = shade((150, 104, 62), 1.0) if paint.variant % 3 > 0 else paint.main
    for x in (0.1, 0.9):
        pen.stroke([(x, 0.02), (x, 0.98)], 0.06, DARK)
        pen.stroke([(x - 0.05, 0.97), (x + 0.05, 0.97)], 0.05, DARK)
    for y in (0.04, 0.2, 0.36):
        pen.box(0.03, y, 0.97, y + 0.11, shade(plank, 1.0 + 0.06 * (y > 0.1)), round_by=0.02)
    pen.polygon([(0.03, 0.56), (0.97, 0.56), (1.0, 0.68), (0.0, 0.68)], shade(plank, 0.9))
    pen.box(0.0, 0.68, 1.0, 0.74, shade(plank, 0.65))
    for x in (0.04, 0.96):
        pen.stroke([(x, 0.46), (x, 0.7)], 0.05, DARK)
