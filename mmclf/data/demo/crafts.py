"""How the demo's airplanes and boats look."""

from __future__ import annotations

from mmclf.data.demo.pen import Paint, Pen, shade
from mmclf.data.demo.vehicles import GLASS, RIM, TYRE


def airplane(pen: Pen, paint: Paint) -> None:
    """An airliner with a swept wing and tail fin, or a small plane with a propeller."""
    (_propeller_plane if paint.variant % 3 == 0 else _airliner)(pen, paint)


def _airliner(pen: Pen, paint: Paint) -> None:
    pale = shade(paint.main, 1.1) if paint.variant % 2 == 0 else (236, 238, 242)
    pen.polygon([(0.4, 0.5), (0.5, 0.5), (0.34, 0.12), (0.28, 0.12)], shade(pale, 0.75))
    pen.polygon([(0.02, 0.08), (0.1, 0.08), (0.22, 0.45), (0.06, 0.48)], paint.main)
    pen.ellipse(0.7, 0.38, 1.0, 0.64, pale)
    pen.polygon([(0.02, 0.42), (0.2, 0.38), (0.85, 0.38), (0.85, 0.64), (0.25, 0.64)], pale)
    pen.box(0.08, 0.54, 0.9, 0.58, paint.main)
    for step in range(11):
        pen.disc(0.25 + 0.055 * step, 0.47, 0.024, (60, 84, 120))
    pen.polygon([(0.91, 0.42), (0.96, 0.47), (0.9, 0.48)], (60, 84, 120))
    pen.polygon([(0.4, 0.54), (0.58, 0.54), (0.34, 0.94), (0.25, 0.94)], shade(pale, 0.82))
    pen.polygon([(0.02, 0.46), (0.14, 0.48), (0.04, 0.62), (0.0, 0.62)], shade(pale, 0.8))
    pen.box(0.42, 0.68, 0.56, 0.8, shade(paint.main, 0.8), round_by=0.05)
    if paint.pose != "fly":
        for x in (0.48, 0.84):
            pen.stroke([(x, 0.64), (x, 0.93)], 0.03, RIM)
            pen.disc(x, 0.93, 0.06, TYRE)


def _propeller_plane(pen: Pen, paint: Paint) -> None:
    pen.polygon([(0.03, 0.12), (0.12, 0.12), (0.2, 0.46), (0.05, 0.5)], paint.other)
    pen.polygon([(0.03, 0.44), (0.4, 0.38), (0.88, 0.38), (0.9, 0.68), (0.4, 0.7)], paint.main)
    pen.polygon([(0.44, 0.38), (0.5, 0.2), (0.64, 0.2), (0.7, 0.38)], GLASS)
    pen.box(0.3, 0.16, 0.78, 0.24, paint.other, round_by=0.04)
    pen.box(0.34, 0.6, 0.74, 0.67, paint.other, round_by=0.04)
    for x in (0.4, 0.68):
        pen.stroke([(x, 0.22), (x, 0.62)], 0.015, TYRE)
    pen.disc(0.91, 0.53, 0.08, TYRE)
    pen.ellipse(0.925, 0.18, 0.955, 0.88, (206, 208, 214))
    if paint.pose != "fly":
        pen.stroke([(0.7, 0.66), (0.74, 0.9)], 0.03, TYRE)
        pen.disc(0.74, 0.9, 0.08, TYRE)
        pen.disc(0.12, 0.62, 0.05, TYRE)


def boat(pen: Pen, paint: Paint) -> None:
    """A sailing boat, a motor boat with a cabin, or a rowing boat."""
    kind = paint.variant % 3
    if kind == 0:
        pen.stroke([(0.5, 0.0), (0.5, 0.75)], 0.02, (110, 84, 60))
        pen.polygon([(0.48, 0.03), (0.48, 0.68), (0.08, 0.68)], (246, 244, 236))
        pen.polygon([(0.53, 0.1), (0.53, 0.68), (0.88, 0.68)], paint.other)
    elif kind == 1:
        pen.box(0.2, 0.46, 0.66, 0.76, (244, 244, 240), round_by=0.03)
        pen.polygon([(0.28, 0.46), (0.32, 0.28), (0.56, 0.28), (0.62, 0.46)], (244, 244, 240))
        for x in (0.25, 0.4, 0.53):
            pen.box(x, 0.54, x + 0.09, 0.65, GLASS, round_by=0.02)
        pen.stroke([(0.36, 0.28), (0.36, 0.1)], 0.015, TYRE)
        pen.polygon([(0.36, 0.1), (0.24, 0.14), (0.36, 0.18)], paint.other)
    else:
        pen.stroke([(0.3, 0.55), (0.5, 0.9)], 0.025, (150, 112, 72))
        pen.stroke([(0.7, 0.55), (0.56, 0.9)], 0.025, (150, 112, 72))
    pen.polygon([(0.02, 0.72), (0.99, 0.7), (0.84, 0.96), (0.16, 0.96)], paint.main)
    pen.polygon([(0.02, 0.72), (0.99, 0.7), (0.96, 0.77), (0.05, 0.78)], shade(paint.main, 1.35))
    for step in range(5):
        x = 0.05 + 0.2 * step
        pen.stroke([(x, 0.96), (x + 0.06, 0.93), (x + 0.12, 0.96)], 0.015, (236, 244, 250))
