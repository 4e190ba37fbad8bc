"""How the demo's unlabelled things look: what decorates, distracts or hides."""

from __future__ import annotations

from mmclf.data.demo.pen import Colour, Pen, shade

BARK: Colour = (112, 82, 56)
LEAF: Colour = (70, 132, 66)
DARK: Colour = (52, 52, 56)
PALE: Colour = (240, 238, 230)


def tree(pen: Pen, _: Colour) -> None:
    """A round tree."""
    pen.box(0.44, 0.5, 0.56, 1.0, BARK)
    for x, y, radius in ((0.3, 0.38, 0.2), (0.7, 0.36, 0.21), (0.5, 0.22, 0.22), (0.5, 0.45, 0.2)):
        pen.disc(x, y, radius, shade(LEAF, 0.75 + x / 2))


def bush(pen: Pen, _: Colour) -> None:
    """A wide bush."""
    for x, y in ((0.2, 0.7), (0.8, 0.7), (0.5, 0.5), (0.4, 0.75), (0.62, 0.72)):
        pen.disc(x, y, 0.3, shade(LEAF, 0.6 + x / 2))


def lamp(pen: Pen, _: Colour) -> None:
    """A lamp post, as thin as the signs that carry a label."""
    pen.box(0.47, 0.1, 0.53, 1.0, DARK)
    pen.box(0.38, 0.96, 0.62, 1.0, DARK)
    pen.disc(0.5, 0.09, 0.09, (252, 236, 170))


def mailbox(pen: Pen, colour: Colour) -> None:
    """A letter box on feet, nearly a hydrant."""
    pen.box(0.28, 0.45, 0.72, 0.92, shade(colour, 0.9), round_by=0.04)
    pen.ellipse(0.28, 0.34, 0.72, 0.6, shade(colour, 0.9))
    pen.box(0.36, 0.55, 0.64, 0.6, DARK)
    for x in (0.32, 0.64):
        pen.box(x, 0.9, x + 0.05, 1.0, DARK)


def sign(pen: Pen, colour: Colour) -> None:
    """A street sign that is round, not an octagon."""
    pen.box(0.48, 0.3, 0.52, 1.0, DARK)
    pen.disc(0.5, 0.2, 0.18, PALE)
    pen.disc(0.5, 0.2, 0.15, colour)
    pen.box(0.42, 0.18, 0.58, 0.22, PALE)


def umbrella(pen: Pen, colour: Colour) -> None:
    """An open parasol."""
    pen.box(0.49, 0.3, 0.51, 1.0, BARK)
    pen.polygon([(0.1, 0.42), (0.25, 0.22), (0.5, 0.12), (0.75, 0.22), (0.9, 0.42)], colour)
    pen.polygon([(0.38, 0.42), (0.5, 0.12), (0.62, 0.42)], PALE)


def kite(pen: Pen, colour: Colour) -> None:
    """A kite with a tail, high above where it stands."""
    pen.stroke([(0.5, 0.0), (0.4, 0.5), (0.6, 0.98)], 0.008, PALE)
    pen.polygon([(0.5, -0.45), (0.72, -0.22), (0.5, 0.08), (0.28, -0.22)], colour)
    pen.stroke([(0.5, -0.45), (0.5, 0.08)], 0.012, shade(colour, 0.6))


def plant(pen: Pen, colour: Colour) -> None:
    """A potted plant."""
    for x, y in ((0.2, 0.3), (0.35, 0.12), (0.5, 0.05), (0.66, 0.14), (0.82, 0.32)):
        pen.stroke([(0.5, 0.72), (x, y)], 0.05, shade(LEAF, 0.8 + x / 3))
    pen.polygon([(0.32, 0.68), (0.68, 0.68), (0.62, 1.0), (0.38, 1.0)], colour)


def table(pen: Pen, colour: Colour) -> None:
    """A table with a cup and a plate."""
    pen.box(0.0, 0.56, 1.0, 0.64, shade(BARK, 1.3))
    for x in (0.08, 0.86):
        pen.box(x, 0.64, x + 0.06, 1.0, BARK)
    pen.box(0.24, 0.44, 0.38, 0.56, colour, round_by=0.02)
    pen.ellipse(0.52, 0.51, 0.84, 0.57, PALE)


def cake(pen: Pen, colour: Colour) -> None:
    """A cake with candles on a stand."""
    pen.box(0.2, 0.55, 0.8, 0.82, colour, round_by=0.04)
    pen.box(0.2, 0.55, 0.8, 0.64, PALE, round_by=0.04)
    for x in (0.35, 0.5, 0.65):
        pen.box(x - 0.015, 0.42, x + 0.015, 0.55, (90, 150, 210))
        pen.disc(x, 0.4, 0.025, (255, 190, 60))
    pen.box(0.1, 0.82, 0.9, 0.87, DARK)
    pen.box(0.46, 0.87, 0.54, 1.0, DARK)


def box(pen: Pen, colour: Colour) -> None:
    """A crate, or a suitcase."""
    pen.box(0.1, 0.3, 0.9, 1.0, shade(colour, 0.8), round_by=0.05)
    for x in (0.3, 0.66):
        pen.box(x, 0.3, x + 0.05, 1.0, shade(colour, 0.55))


def post(pen: Pen, _: Colour) -> None:
    """A thick post that stands in the way."""
    pen.box(0.38, -0.6, 0.62, 1.0, (124, 118, 112))
    pen.box(0.38, -0.6, 0.45, 1.0, (150, 144, 138))


def ball(pen: Pen, colour: Colour) -> None:
    """A ball."""
    pen.disc(0.5, 0.88, 0.12, colour)
    pen.stroke([(0.42, 0.82), (0.5, 0.88), (0.58, 0.82)], 0.015, PALE)


def rock(pen: Pen, _: Colour) -> None:
    """A rock."""
    pen.polygon([(0.0, 1.0), (0.15, 0.7), (0.45, 0.58), (0.8, 0.72), (1.0, 1.0)], (128, 122, 116))
    pen.polygon([(0.15, 0.7), (0.45, 0.58), (0.4, 0.8)], (152, 146, 138))


def tower(pen: Pen, colour: Colour) -> None:
    """A tower, for control or for light."""
    pen.polygon([(0.4, 0.2), (0.6, 0.2), (0.66, 1.0), (0.34, 1.0)], PALE)
    pen.polygon([(0.37, 0.5), (0.63, 0.5), (0.64, 0.66), (0.36, 0.66)], colour)
    pen.box(0.34, 0.06, 0.66, 0.22, (120, 160, 186), round_by=0.02)
    pen.polygon([(0.34, 0.06), (0.66, 0.06), (0.5, -0.06)], colour)


def clock(pen: Pen, _: Colour) -> None:
    """A station clock on a post."""
    pen.box(0.47, 0.2, 0.53, 1.0, DARK)
    pen.disc(0.5, 0.16, 0.16, DARK)
    pen.disc(0.5, 0.16, 0.13, PALE)
    pen.stroke([(0.5, 0.06), (0.5, 0.16), (0.58, 0.2)], 0.02, DARK)


def sheep(pen: Pen, _: Colour) -> None:
    """A sheep: an animal without a label."""
    for x in (0.3, 0.42, 0.6, 0.7):
        pen.stroke([(x, 0.8), (x, 0.98)], 0.04, DARK)
    for x, y in ((0.25, 0.66), (0.4, 0.58), (0.58, 0.58), (0.7, 0.66), (0.5, 0.72), (0.35, 0.74)):
        pen.disc(x, y, 0.13, PALE)
    pen.disc(0.86, 0.56, 0.1, DARK)
    pen.disc(0.88, 0.53, 0.016, PALE)


def elephant(pen: Pen, _: Colour) -> None:
    """An elephant: another one."""
    hide: Colour = (136, 138, 148)
    for x in (0.2, 0.34, 0.52, 0.64):
        pen.box(x - 0.05, 0.6, x + 0.05, 0.99, shade(hide, 0.85))
    pen.ellipse(0.08, 0.28, 0.76, 0.84, hide)
    pen.disc(0.78, 0.44, 0.17, hide)
    pen.stroke([(0.88, 0.5), (0.95, 0.7), (0.92, 0.9)], 0.07, hide)
    pen.ellipse(0.58, 0.3, 0.78, 0.62, shade(hide, 0.8))
    pen.disc(0.86, 0.38, 0.018, DARK)


def teddy(pen: Pen, _: Colour) -> None:
    """A teddy bear, for those who look for cats and dogs."""
    fur: Colour = (176, 128, 80)
    for x, y, radius in ((0.35, 0.43, 0.07), (0.65, 0.43, 0.07), (0.28, 0.94, 0.08)):
        pen.disc(x, y, radius, fur)
    pen.disc(0.72, 0.94, 0.08, fur)
    pen.disc(0.5, 0.82, 0.18, fur)
    pen.disc(0.5, 0.53, 0.15, shade(fur, 1.1))
    pen.disc(0.5, 0.57, 0.06, shade(fur, 1.35))
    for x in (0.44, 0.56):
        pen.disc(x, 0.5, 0.018, DARK)
