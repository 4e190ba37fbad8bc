from __future__ import annotations

import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from mmclf.plots.forest import forest_figure
from mmclf.plots.style import INK, LOOKS, PAPER, add_key, canvas
from mmclf.plots.waterfall import waterfall_figure
from mmclf.studies.report.page.parts import figure
from mmclf.studies.report.page.svg import VARIABLES, figures_in, inline_svg

ODD = "<b>&\"'$x_1$ 日本 _"


def forest() -> Figure:
    return forest_figure(["a", ODD], [1.0, -0.2], [0.5, -1.0], [1.5, 0.6], [True, False], "points")


def hatched() -> Figure:
    """A figure with clip paths, hatches and markers, all of which refer to ids."""
    steps = ["up", "down"]
    return waterfall_figure(
        ("a", 0.5), steps, [0.2, -0.1], [0.1, -0.2], [0.3, 0.0], [True, True], ("b", 0.6), "F1"
    )


@pytest.mark.parametrize("figure", [forest(), hatched()], ids=["forest", "waterfall"])
def test_colours_are_variables_of_the_page(figure: Figure) -> None:
    svg = inline_svg(figure, "one", "title", "description")
    assert not re.search(r"#[0-9a-f]{3,8}\b", re.sub(r'(url\(|href=")#[^")]*', "", svg))
    assert set(re.findall(r"var\(([^)]*)\)", svg)) <= set(VARIABLES.values())
    assert "var(--series-1)" in svg


def test_ids_are_of_this_figure_alone_and_all_references_have_one() -> None:
    svg = inline_svg(hatched(), "one", "title", "description")
    ids = re.findall(r' id="([^"]*)"', svg)
    assert len(set(ids)) == len(ids)
    assert all(one.startswith("one-") for one in ids)
    references = re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg)
    assert references
    assert {first or second for first, second in references} <= set(ids)
    other = inline_svg(hatched(), "two", "title", "description")
    assert not set(ids) & set(re.findall(r' id="([^"]*)"', other))


def test_the_same_figure_gives_the_same_text_without_a_date() -> None:
    first, second = (inline_svg(hatched(), "one", "title", "description") for _ in range(2))
    assert first == second
    assert "metadata" not in first
    assert not re.search(r"20\d\d-\d\d", first)


def test_it_has_a_name_and_a_description() -> None:
    root = ElementTree.fromstring(inline_svg(forest(), "one", "A <title>", "What it & shows"))
    assert root.tag == "svg"
    assert root.attrib["role"] == "img"
    names = root.attrib["aria-labelledby"].split()
    told = [next(e.text for e in root if e.attrib.get("id") == name) for name in names]
    assert told == ["A <title>", "What it & shows"]
    assert [child.tag for child in root][:2] == ["title", "desc"]


def test_it_is_as_wide_as_the_page_lets_it_and_styles_nothing_else() -> None:
    svg = inline_svg(forest(), "one", "title", "description")
    head = svg[: svg.index(">")]
    assert "viewBox=" in head
    assert "width=" not in head
    assert "<style" not in svg
    assert "xmlns" not in svg
    assert "<?xml" not in svg


def test_text_is_text_in_the_fonts_of_the_page() -> None:
    svg = inline_svg(forest(), "one", "title", "description")
    texts = [text.text for text in ElementTree.fromstring(svg).iter("text")]
    assert {"a", ODD, "points"} <= set(texts)
    assert "font-family" not in svg
    assert svg.count("<text") == len(re.findall(r"<text[^>]* fill: var", svg))
    assert "font-size: 10px" in svg


def test_no_warning_of_letters_that_the_measuring_font_lacks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inline_svg(forest(), "one", "title", "description")


def test_numbers_have_two_decimals_at_most() -> None:
    figure, (axes,) = canvas(3.0)
    (line,) = axes.plot(np.linspace(0, 1, 30), np.sin(np.arange(30.0)), color=INK)
    add_key(figure, [line], ["_hidden"])
    svg = inline_svg(figure, "one", "title", "description")
    assert not re.search(r' d="[^"]*\.\d{3}', svg)
    assert "_hidden" in svg


def test_looks_differ_by_more_than_colour() -> None:
    assert len({look.marker for look in LOOKS}) == len(LOOKS)
    assert len({look.dashes for look in LOOKS}) == len(LOOKS)


def test_a_figure_of_a_page_is_a_file_of_its_own() -> None:
    page = "".join(
        figure(key, hatched(), f"Figure {key}", "<caption>", "words") for key in ("one", "two-b")
    )
    found = figures_in(page)
    assert list(found) == ["one", "two-b"]
    for svg in found.values():
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in svg


@pytest.mark.parametrize("words", ["words", "a > b & c", ""])
def test_a_file_has_the_ground_and_the_font_that_a_page_would_give(words: str) -> None:
    page = figure("one", hatched(), "Figure", "caption", words)
    (svg,) = figures_in(page).values()
    root = ElementTree.fromstring(svg)
    assert root.attrib["font-family"] == "sans-serif"
    names = [child.tag.rpartition("}")[2] for child in root]
    assert names[:3] == ["title", "desc", "rect"]
    assert root[2].attrib == {"width": "100%", "height": "100%", "fill": PAPER}
    # On the page they are the page's own.
    assert 'width="100%"' not in page
    assert "font-family" not in page
