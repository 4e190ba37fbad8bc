"""A plot of a study's page: a figure, and what is said of it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property

from matplotlib.figure import Figure

from mmclf.plots.svg import to_svg
from mmclf.plots.words import plain


@dataclass(frozen=True)
class Section:
    """A part of the page that plots stand in: its id, and its heading."""

    key: str
    heading: str


ARMS = Section("arms", "Arms")
EFFECTS = Section("effects", "What each change accounts for")


@dataclass(frozen=True)
class Plot:
    """A figure under its `key`, which is the name of its file too.

    `caption` says what is drawn and how to read it, `description` what it shows to whoever cannot
    see it.
    """

    key: str
    section: Section
    title: str
    caption: str
    description: str
    figure: Figure

    @property
    def alt(self) -> str:
        """The figure in words."""
        return plain(f"{self.title}: {self.description}")

    @cached_property
    def svg(self) -> str:
        """The figure as an SVG file's text."""
        return to_svg(self.figure, self.title, self.description)

    @property
    def address(self) -> str:
        """The SVG file itself, as an address of an image."""
        return f"data:image/svg+xml;base64,{b64encode(self.svg.encode()).decode()}"
