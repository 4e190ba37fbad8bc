"""A pen that draws in a box of its own: (0, 0) is the box's top left, (1, 1) its bottom right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor below 1) or lighter (above 1), clipped to 0..255."""
    red, green, blue = (min(255, max(0, round(part * factor))) for part in colour)
    return red, green, blue


@dataclass(frozen=True)
class Paint:
    """The colours of one thing, and which of its variants to draw."""

    main: Colour
    other: Colour
    skin: Colour
    hair: Colour
    variant: int
    pose: str = "stand"


@dataclass(frozen=True)
class Pen:
    """Draws shapes given in shares of a box; left, top, width and height are in pixels."""

    draw: ImageDraw.ImageDraw
    left: float
    top: float
    width: float
    height: float
    flip: bool = False

    def at(self, x: float, y: float) -> Point:
        """Pixel coordinates of a point of the box."""
        across = 1 - x if self.flip else x
        return self.left + across * self.width, self.top + y * self.height

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled polygon."""
        self.draw.polygon([self.at(x, y) for x, y in points], fill=fill)

    def ellipse(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        """A filled ellipse between two corners."""
        self.draw.ellipse(self._corners(x0, y0, x1, y1), fill=fill)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, fill: Colour, *, round_by: float = 0.0
    ) -> None:
        """A filled rectangle; its corners are rounded by a share of the box's height."""
        radius = round_by * self.height
        self.draw.rounded_rectangle(self._corners(x0, y0, x1, y1), radius, fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour) -> None:
        """A filled circle; the radius is a share of the box's height."""
        self.draw.ellipse(self._around(x, y, radius), fill=fill)

    def ring(self, x: float, y: float, radius: float, width: float, fill: Colour) -> None:
        """A circle's line; radius and line width are shares of the box's height."""
        thickness = max(1, round(width * self.height))
        self.draw.ellipse(self._around(x, y, radius), outline=fill, width=thickness)

    def stroke(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """A line through points, with round joints; its width is a share of the box's height."""
        thickness = max(1, round(width * self.height))
        pixels = [self.at(x, y) for x, y in points]
        self.draw.line(pixels, fill=fill, width=thickness, joint="curve")
        half = thickness / 2
        if half >= 1.5:
            for x, y in (pixels[0], pixels[-1]):
                self.draw.ellipse((x - half, y - half, x + half, y + half), fill=fill)

    def part(self, x0: float, y0: float, x1: float, y1: float) -> Pen:
        """A pen for a smaller box within this one."""
        left, top, right, bottom = self._corners(x0, y0, x1, y1)
        return Pen(self.draw, left, top, right - left, bottom - top, self.flip)

    def unflipped(self) -> Pen:
        """A pen for the same box that keeps left and right, for what can be read."""
        return replace(self, flip=False)

    def _corners(
        self, x0: float, y0: float, x1: float, y1: float
    ) -> tuple[float, float, float, float]:
        (ax, ay), (bx, by) = self.at(x0, y0), self.at(x1, y1)
        return min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)

    def _around(self, x: float, y: float, radius: float) -> tuple[float, float, float, float]:
        px, py = self.at(x, y)
        reach = radius * self.height
        return px - reach, py - reach, px + reach, py + reach
