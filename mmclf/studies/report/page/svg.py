"""A figure as inline SVG for a page with two colour schemes."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure

from mmclf.plots.style import GRID, INK, MUTED, PAPER, SERIES

Element = ElementTree.Element
VARIABLES: Mapping[str, str] = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)},
}
COLOUR = re.compile(r"(?<!\()#[0-9a-f]{6}\b")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
VARIABLE = re.compile(r"var\((--[\w-]+)\)")
INLINE = re.compile(r'<figure id="(?P<key>[\w-]+)">.*?(?P<svg><svg .*?</svg>)', re.DOTALL)
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
END_OF_WORDS = re.compile(r"</desc>|<desc[^>]*/>")
NOT_TURNED = "rotate(-0 "
COORDINATES = ("d", "x", "y", "transform")
# The pages' own font is used, in the size that the figure asks for.
FONT = re.compile(r"(?:font-family:[^;]*|font:(?:[^;]*?\s)?(?P<size>[\d.]+px)[^;]*)(?:;\s*|$)")


def inline_svg(figure: Figure, key: str, title: str, description: str) -> str:
    """The figure as an `<svg>` element, without width: it is as wide as the page lets it.

    `key` begins every id in it, so that figures on one page do not share any. Whoever cannot see it
    is read `title` and `description`. Colours are CSS variables, the same figure the same text.
    """
    root = _drawn(figure, key)
    for defs in root.iter("defs"):
        for style in defs.findall("style"):
            defs.remove(style)
    for metadata in root.findall("metadata"):
        root.remove(metadata)
    used = _referenced(root)
    for element in root.iter():
        _rewrite(element, key, used)
    _flatten(root)
    _introduce(root, key, title, description)
    return ElementTree.tostring(root, encoding="unicode")


def figures_in(page: str) -> dict[str, str]:
    """The figures of a page by their ids, each as an SVG file of its own, in the light colours."""
    return {found["key"]: _alone(found["svg"]) for found in INLINE.finditer(page)}


def _alone(svg: str) -> str:
    """An inline figure as a file, with the ground and the font that it has from its page."""
    colours = {name: colour for colour, name in VARIABLES.items()}
    lit = VARIABLE.sub(lambda used: colours[used[1]], svg)
    root = '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" '
    ground = f'<rect width="100%" height="100%" fill="{PAPER}" />'
    whole = lit.replace("<svg ", root, 1)
    return END_OF_WORDS.sub(lambda end: f"{end[0]}{ground}", whole, count=1)


def _drawn(figure: Figure, key: str) -> Element:
    """What matplotlib draws, its tags and attributes without namespaces, as in HTML."""
    out = io.StringIO()
    told = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": key}), warnings.catch_warnings():
        # The browser has other fonts than the one in which matplotlib measures.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(out, format="svg", metadata=told)
    root = ElementTree.fromstring(out.getvalue())  # noqa: S314 - matplotlib's own
    for element in root.iter():
        element.tag = _local(element.tag)
        for name in list(element.attrib):
            value = element.attrib.pop(name)
            element.attrib[_local(name)] = value
    return root


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _referenced(root: Element) -> set[str]:
    found: set[str] = set()
    for element in root.iter():
        for name, value in element.attrib.items():
            found.update(REFERENCE.findall(value))
            if name == "href":
                found.add(value.removeprefix("#"))
    return found


def _rewrite(element: Element, key: str, used: set[str]) -> None:
    """Give an element ids, references, colours and fonts of the page."""
    if "fill" in element.attrib:  # of a hatch's ground; only a style can hold variables everywhere
        element.attrib["style"] = f"fill: {element.attrib.pop('fill')}"
    for name, value in list(element.attrib.items()):
        if name == "id" and value not in used:
            del element.attrib[name]
        elif name == "id":
            element.attrib[name] = f"{key}-{value}"
        elif name == "href":
            element.attrib[name] = f"#{key}-{value.removeprefix('#')}"
        elif value.startswith(NOT_TURNED):
            del element.attrib[name]
        elif name in COORDINATES:
            element.attrib[name] = LONG_NUMBER.sub(_rounded, " ".join(value.split()))
        elif name == "style":
            style = COLOUR.sub(_variable, FONT.sub(_size, value))
            element.attrib[name] = REFERENCE.sub(rf"url(#{key}-\1)", style)
        else:
            element.attrib[name] = REFERENCE.sub(rf"url(#{key}-\1)", value)
    if element.tag != "text":
        element.text = None
    element.tail = None


def _variable(found: re.Match[str]) -> str:
    return f"var({VARIABLES[found[0]]})" if found[0] in VARIABLES else found[0]


def _size(found: re.Match[str]) -> str:
    return f"font-size: {found['size']}; " if found["size"] else ""


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _flatten(element: Element) -> None:
    """Put what groups without a meaning hold in their place."""
    children: list[Element] = []
    for child in element:
        _flatten(child)
        children += list(child) if child.tag in ("g", "defs") and _is_bare(child) else [child]
    element[:] = children


def _is_bare(element: Element) -> bool:
    return not element.attrib and (element.tag == "g" or not len(element))


def _introduce(root: Element, key: str, title: str, description: str) -> None:
    viewbox = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib |= {
        "class": "chart",
        "viewBox": viewbox,
        "role": "img",
        "aria-labelledby": f"{key}-title {key}-description",
    }
    for name, text in (("description", description), ("title", title)):
        element = Element("title" if name == "title" else "desc", {"id": f"{key}-{name}"})
        element.text = text
        root.insert(0, element)
