"""How the demo's people and animals look; animals are seen from the side, facing right."""

from __future__ import annotations

from mmclf.data.demo.pen import Colour, Paint, Pen, shade

EYE: Colour = (28, 24, 26)
BEAK: Colour = (238, 160, 48)
TONGUE: Colour = (226, 110, 120)


def person(pen: Pen, paint: Paint) -> None:
    """A standing, walking, riding or sitting person, with a hat or a dress at times."""
    if paint.pose in ("ride", "sit"):
        legs = [(0.42, 0.6), (0.78, 0.68), (0.74, 0.96)]
        if paint.pose == "sit":
            legs = [(0.42, 0.62), (0.72, 0.64), (0.72, 0.97)]
        pen.stroke(legs, 0.1, shade(paint.other, 0.85))
        pen.stroke([(legs[-1][0], 0.97), (legs[-1][0] + 0.12, 0.97)], 0.05, EYE)
        pen.polygon([(0.28, 0.26), (0.62, 0.26), (0.58, 0.62), (0.3, 0.66)], paint.main)
        hand = (0.95, 0.5) if paint.pose == "ride" else (0.7, 0.56)
        pen.stroke([(0.5, 0.3), (0.66, 0.46), hand], 0.065, shade(paint.main, 0.85))
        pen.disc(*hand, 0.035, paint.skin)
    else:
        _upright(pen, paint)
    _head(pen, paint)


def _upright(pen: Pen, paint: Paint) -> None:
    stride = 0.22 if paint.pose == "walk" else 0.1
    for side in (-1, 1):
        foot = 0.5 + side * stride
        pen.stroke([(0.5 + side * 0.09, 0.56), (foot, 0.95)], 0.09, paint.other)
        pen.stroke([(foot, 0.97), (foot + 0.1, 0.97)], 0.045, EYE)
        hand = (0.5 + side * (0.34 if paint.pose == "stand" else 0.4), 0.52)
        if side == 1 and paint.variant == 4:
            hand = (0.92, 0.12)
        pen.stroke([(0.5 + side * 0.17, 0.28), hand], 0.065, shade(paint.main, 0.85))
        pen.disc(*hand, 0.036, paint.skin)
    pen.box(0.29, 0.23, 0.71, 0.6, paint.main, round_by=0.07)
    if paint.variant % 3 == 1:
        pen.polygon([(0.36, 0.45), (0.64, 0.45), (0.82, 0.78), (0.18, 0.78)], paint.main)


def _head(pen: Pen, paint: Paint) -> None:
    long_hair = paint.variant % 3 == 1
    pen.disc(0.49, 0.105, 0.1, paint.hair)
    if long_hair:
        pen.box(0.26, 0.09, 0.62, 0.3, paint.hair, round_by=0.05)
    pen.box(0.43, 0.17, 0.57, 0.27, shade(paint.skin, 0.9))
    pen.disc(0.52, 0.125, 0.083, paint.skin)
    for x in (0.5, 0.62):
        pen.disc(x, 0.115, 0.012, EYE)
    pen.stroke([(0.5, 0.165), (0.56, 0.175), (0.62, 0.16)], 0.01, (170, 60, 60))
    if paint.variant % 3 == 2:
        pen.box(0.28, 0.035, 0.78, 0.07, paint.other, round_by=0.015)
        pen.box(0.34, -0.02, 0.68, 0.05, paint.other, round_by=0.03)


def bird(pen: Pen, paint: Paint) -> None:
    """A plump bird on thin legs, or one with its wings spread."""
    pen.polygon([(0.24, 0.5), (0.0, 0.42), (0.02, 0.62), (0.26, 0.64)], shade(paint.main, 0.75))
    pen.ellipse(0.14, 0.34, 0.78, 0.8, paint.main)
    pen.ellipse(0.36, 0.5, 0.74, 0.79, shade(paint.main, 1.35))
    pen.disc(0.76, 0.34, 0.18, paint.main)
    pen.polygon([(0.86, 0.26), (1.0, 0.36), (0.87, 0.44)], BEAK)
    pen.disc(0.8, 0.3, 0.045, (250, 250, 250))
    pen.disc(0.81, 0.3, 0.028, EYE)
    wing = shade(paint.main, 0.7)
    if paint.pose == "fly":
        pen.polygon([(0.3, 0.5), (0.6, 0.5), (0.42, 0.0), (0.14, 0.02)], wing)
        pen.polygon([(0.34, 0.56), (0.56, 0.56), (0.24, 0.98), (0.12, 0.9)], shade(wing, 0.85))
    else:
        pen.polygon([(0.24, 0.46), (0.58, 0.48), (0.46, 0.7), (0.1, 0.62)], wing)
        for x in (0.42, 0.54):
            pen.stroke([(x, 0.78), (x, 0.97), (x + 0.08, 0.98)], 0.025, BEAK)


def cat(pen: Pen, paint: Paint) -> None:
    """A cat that sits and looks at you, with pointed ears, whiskers and a curled tail."""
    fur, dark = paint.main, shade(paint.main, 0.7)
    pen.stroke([(0.7, 0.9), (0.94, 0.84), (0.96, 0.6), (0.86, 0.5)], 0.08, dark)
    pen.ellipse(0.2, 0.4, 0.8, 1.0, fur)
    if paint.variant % 2 == 0:
        for y in (0.58, 0.68, 0.78):
            pen.stroke([(0.66, y), (0.78, y + 0.03)], 0.025, dark)
            pen.stroke([(0.22, y + 0.03), (0.34, y)], 0.025, dark)
    for x in (0.4, 0.6):
        pen.stroke([(x, 0.7), (x, 0.94)], 0.1, shade(fur, 1.12))
    for sign in (-1, 1):
        ear = [(0.5 + sign * 0.28, 0.28), (0.5 + sign * 0.25, 0.0), (0.5 + sign * 0.06, 0.12)]
        pen.polygon(ear, fur)
        inner = [(0.5 + sign * 0.24, 0.2), (0.5 + sign * 0.23, 0.06), (0.5 + sign * 0.13, 0.13)]
        pen.polygon(inner, TONGUE)
    pen.ellipse(0.2, 0.08, 0.8, 0.52, fur)
    for sign in (-1, 1):
        pen.disc(0.5 + sign * 0.13, 0.27, 0.06, (196, 214, 90))
        pen.ellipse(0.48 + sign * 0.13, 0.22, 0.52 + sign * 0.13, 0.32, EYE)
        for y in (0.36, 0.4, 0.44):
            pen.stroke([(0.5 + sign * 0.1, 0.39), (0.5 + sign * 0.42, y)], 0.008, (250, 250, 250))
    pen.polygon([(0.45, 0.35), (0.55, 0.35), (0.5, 0.4)], TONGUE)
    pen.stroke([(0.41, 0.41), (0.45, 0.45), (0.5, 0.41)], 0.012, EYE)
    pen.stroke([(0.5, 0.41), (0.55, 0.45), (0.59, 0.41)], 0.012, EYE)


def dog(pen: Pen, paint: Paint) -> None:
    """A dog that stands and wags, with a long snout, a floppy ear and its tongue out."""
    fur, dark = paint.main, shade(paint.main, 0.68)
    pen.stroke([(0.1, 0.48), (0.02, 0.3), (0.05, 0.16)], 0.07, fur)
    for x in (0.2, 0.56):
        pen.stroke([(x, 0.6), (x, 0.94)], 0.09, dark)
    for x in (0.12, 0.65):
        pen.stroke([(x, 0.6), (x, 0.94), (x + 0.05, 0.95)], 0.1, fur)
    pen.box(0.06, 0.4, 0.72, 0.7, fur, round_by=0.14)
    if paint.variant % 2 == 0:
        pen.ellipse(0.22, 0.41, 0.45, 0.6, dark)
    pen.polygon([(0.52, 0.5), (0.58, 0.2), (0.8, 0.3), (0.72, 0.62)], fur)
    pen.stroke([(0.86, 0.4), (0.88, 0.5)], 0.06, TONGUE)
    pen.box(0.7, 0.24, 0.98, 0.41, shade(fur, 1.12), round_by=0.08)
    pen.ellipse(0.56, 0.08, 0.84, 0.4, fur)
    pen.disc(0.97, 0.26, 0.05, EYE)
    pen.disc(0.75, 0.2, 0.035, EYE)
    pen.ellipse(0.52, 0.1, 0.65, 0.44, dark)
    pen.stroke([(0.58, 0.46), (0.73, 0.5)], 0.045, (206, 48, 44))


def horse(pen: Pen, paint: Paint) -> None:
    """A horse with mane and tail on four thin legs; it may trot or wear a saddle cloth."""
    coat, mane = paint.main, shade(paint.main, 0.5)
    swing = 0.08 if paint.pose == "walk" else 0.0
    pen.stroke([(0.08, 0.38), (0.01, 0.5), (0.02, 0.74)], 0.06, mane)
    for x, side in ((0.2, -1), (0.62, 1)):
        pen.stroke([(x, 0.55), (x + side * swing, 0.78), (x, 0.96)], 0.055, shade(coat, 0.75))
    for x, side in ((0.13, 1), (0.7, -1)):
        leg = [(x, 0.55), (x + 0.02 - side * swing, 0.78), (x - side * swing, 0.95)]
        pen.stroke(leg, 0.06, coat)
        pen.stroke([leg[-1], (leg[-1][0] + 0.03, 0.97)], 0.05, EYE)
    pen.ellipse(0.05, 0.33, 0.45, 0.66, coat)
    pen.ellipse(0.42, 0.34, 0.77, 0.66, coat)
    pen.box(0.2, 0.35, 0.65, 0.63, coat, round_by=0.05)
    pen.polygon([(0.52, 0.42), (0.68, 0.06), (0.82, 0.14), (0.76, 0.52)], coat)
    pen.polygon([(0.66, 0.04), (0.8, 0.04), (0.99, 0.24), (0.94, 0.33), (0.76, 0.24)], coat)
    pen.polygon([(0.69, 0.06), (0.7, -0.03), (0.76, 0.05)], coat)
    pen.stroke([(0.7, 0.05), (0.62, 0.16), (0.52, 0.38)], 0.07, mane)
    pen.disc(0.82, 0.12, 0.02, EYE)
    pen.disc(0.95, 0.26, 0.013, EYE)
    if paint.variant % 2 == 0:
        pen.polygon([(0.32, 0.32), (0.54, 0.32), (0.52, 0.5), (0.36, 0.5)], paint.other)
