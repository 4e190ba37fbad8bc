"""A figure as an SVG file: its words, its letters, and that it is the same each time."""

from __future__ import annotations

import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from mmclf.plots.forest import Interval, forest_figure
from mmclf.plots.style import GRID, INK, LOOKS, MUTED, PAPER, SERIES, add_key, canvas
from mmclf.plots.svg import to_svg
from mmclf.plots.waterfall import waterfall_figure

ODD = "<b>&\"'$x_1$ 日本 _"
SVG = "{http://www.w3.org/2000/svg}"


def forest() -> Figure:
    rows = [Interval("a", 1.0, 0.5, 0.4, "better"), Interval(ODD, -0.2, 0.8, 0.6, "undecided")]
    return forest_figure(rows, "points", 0.5)


def hatched() -> Figure:
    """A figure with clip paths, hatches and markers, all of which refer to ids."""
    steps = [Interval("up", 0.2, 0.1, 0.08, "better"), Interval("down", -0.1, 0.1, 0.08, "worse")]
    return waterfall_figure(("a", 0.5), steps, ("b", 0.6), "F1")


def texts(svg: str) -> list[str | None]:
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_same_figure_gives_the_same_text_without_a_date() -> None:
    first, second = (to_svg(hatched(), "title", "description") for _ in range(2))
    assert first == second
    assert not re.search(r"20\d\d-\d\d", first)


def test_ids_stand_once_and_all_references_have_one() -> None:
    svg = to_svg(hatched(), "title", "description")
    ids = re.findall(r' id="([^"]*)"', svg)
    assert len(set(ids)) == len(ids)
    references = re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg)
    assert references
    assert {first or second for first, second in references} <= set(ids)


def test_it_says_what_it_shows_to_whoever_cannot_see_it() -> None:
    root = ElementTree.fromstring(to_svg(forest(), "A <title>\0", "What it & shows \ud800"))
    assert root.findtext(f"{SVG}title") == "A <title>\ufffd"
    descriptions = [element.text for element in root.iter() if element.tag.endswith("}description")]
    assert descriptions == ["What it & shows ?"]


def test_letters_are_text_whatever_a_name_holds() -> None:
    assert {"a", ODD, "points"} <= set(texts(to_svg(forest(), "title", "description")))


def test_a_name_may_begin_with_an_underscore() -> None:
    figure, (axes,) = canvas(3.0)
    (line,) = axes.plot(np.linspace(0, 1, 30), np.sin(np.arange(30.0)), color=INK)
    add_key(figure, [line], ["_hidden"])
    assert "_hidden" in texts(to_svg(figure, "title", "description"))


def test_no_warning_of_letters_that_the_measuring_font_lacks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_svg(forest(), "title", "description")


def test_it_has_a_light_ground_of_its_own() -> None:
    svg = to_svg(forest(), "title", "description")
    first = next(ElementTree.fromstring(svg).iter(f"{SVG}path"))
    assert f"fill: {PAPER}" in first.attrib["style"]


def test_looks_differ_by_more_than_colour() -> None:
    assert len({look.marker for look in LOOKS}) == len(LOOKS)
    assert len({look.dashes for look in LOOKS}) == len(LOOKS)


@pytest.mark.parametrize(
    ("colour", "least"), [(INK, 4.5), (MUTED, 4.5), *((colour, 3.0) for colour in SERIES)]
)
def test_letters_and_marks_stand_out_from_the_ground(colour: str, least: float) -> None:
    assert (luminance(PAPER) + 0.05) / (luminance(colour) + 0.05) >= least
    assert luminance(GRID) > luminance(colour)


def luminance(colour: str) -> float:
    """The relative luminance of a colour, as WCAG defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
