"""What speaks for and against the labels of a sample: its picture and its words, coloured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mmclf.plots.style import GRID, INK, MUTED, PAPER, SERIES, SMALL, TEXT
from mmclf.plots.words import plain, shortened

Floats = NDArray[np.float64]
FOR, AGAINST = SERIES[0], SERIES[1]
# In inches: of a picture, of a line of words, of a row's head, of the text's width.
PICTURE, LINE, HEAD, TEXT_WIDTH, MARGIN = 2.1, 0.24, 0.42, 5.2, 0.15
STRONGEST = 0.65  # opacity of the strongest part
BLANK = 0.07
LONGEST_CAPTION = 400  # characters


@dataclass(frozen=True)
class Words:
    """A caption, the start and end of its W words, and the weights (W,) of one label."""

    caption: str
    spans: Sequence[tuple[int, int]]
    weights: Floats


@dataclass(frozen=True)
class LabelRow:
    """What speaks for one label.

    Args:
        title: its name and probability.
        heat: (G, G) of the picture; None without one.
        captions: of the sample.
        whole: by modality, what it contributes as a whole.

    """

    title: str
    heat: Floats | None
    captions: Sequence[Words]
    whole: Mapping[str, float]


def attributions_figure(
    title: str, picture: NDArray[np.uint8] | None, rows: Sequence[LabelRow]
) -> Figure:
    """A row a label: the picture (H, W, 3) under its heat, and the captions with coloured words.

    Blue speaks for the label, vermilion against it. Parts of the picture and words have one scale,
    by what is strongest for the label.
    """
    figure = Figure(facecolor=PAPER)
    left = 2 * MARGIN + PICTURE if picture is not None else MARGIN
    width = left + TEXT_WIDTH + MARGIN
    heights = [_height(row, picture is not None) for row in rows]
    height = HEAD + sum(heights) + LINE + MARGIN
    figure.set_size_inches(width, height)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    pen = _Pen(axes, canvas)
    pen.write(MARGIN, height - 0.12, shortened(title, 90), TEXT, INK, weight="bold")
    top = height - HEAD
    for row, room in zip(rows, heights, strict=True):
        axes.axhline(top, color=GRID, linewidth=0.7)
        if picture is not None and row.heat is not None:
            _draw_picture(axes, picture, _strengths(row.heat, row), top - MARGIN)
        _draw_text(pen, row, left, top - MARGIN)
        top -= room
    key = "blue speaks for the label, vermilion against it; numbers are changes of the logit"
    pen.write(MARGIN, top - 0.05, key, SMALL, MUTED)
    axes.set_xlim(0, width)
    axes.set_ylim(0, height)
    axes.set_aspect("auto")
    return figure


def _height(row: LabelRow, has_picture: bool) -> float:
    """A row's height, its lines estimated by their letters."""
    letters = int(TEXT_WIDTH / 0.078)
    lines = sum(1 + len(words.caption[:LONGEST_CAPTION]) // letters for words in row.captions)
    text = HEAD + LINE * (lines + 1) + MARGIN
    return max(text, PICTURE + 2 * MARGIN) if has_picture else text


def _draw_picture(axes: Axes, picture: NDArray[np.uint8], strength: Floats, top: float) -> None:
    """The picture in grey, and over it what its parts do (G, G)."""
    rows, columns = picture.shape[:2]
    scale = PICTURE / max(rows, columns)
    extent = (MARGIN, MARGIN + scale * columns, top - scale * rows, top)
    axes.imshow(picture.mean(axis=2), cmap="gray", vmin=0, vmax=255, extent=extent)
    shade = np.where(strength[..., None] >= 0, to_rgb(FOR), to_rgb(AGAINST))
    cover = np.concatenate([shade, np.abs(strength)[..., None]], axis=2)
    axes.imshow(cover, extent=extent, interpolation="bilinear")


def _strengths(values: Floats, row: LabelRow) -> Floats:
    """Some of a label's values as opacities with their sign, its strongest one at STRONGEST."""
    every = [of.weights for of in row.captions] + ([row.heat] if row.heat is not None else [])
    largest = max((float(np.abs(of).max(initial=0.0)) for of in every), default=0.0)
    return values * (STRONGEST / largest) if largest > 0 else np.zeros_like(values)


def _draw_text(pen: _Pen, row: LabelRow, left: float, top: float) -> None:
    """A label's name, what each modality does, and the captions."""
    pen.write(left, top, shortened(row.title, 60), TEXT, INK, weight="bold")
    whole = "   ".join(f"{name} {value:+.1f}" for name, value in row.whole.items())
    pen.write(left, top - LINE, whole, SMALL, MUTED)
    top -= 2.3 * LINE
    for words in row.captions:
        top = _draw_words(pen, words, _strengths(words.weights, row), left, top)


def _draw_words(pen: _Pen, words: Words, strengths: Floats, left: float, top: float) -> float:
    """A caption with its words coloured, in lines; where the next one begins."""
    x, written = left, 0
    for word, strength, is_joined in _pieces(words, strengths):
        text = plain(word)
        written += len(text) + 1
        if written > LONGEST_CAPTION:
            pen.write(x, top, "…", TEXT, INK)
            break
        room = pen.width(text)
        if x > left and x + room > left + TEXT_WIDTH:
            x, top = left, top - LINE
        elif x > left and not is_joined:
            x += BLANK
        colour = FOR if strength > 0 else AGAINST
        pen.write(x, top, text, TEXT, INK, cover=(colour, abs(strength)))
        x += room
    return top - LINE


def _pieces(words: Words, strengths: Floats) -> Iterator[tuple[str, float, bool]]:
    """A caption's words and what is between them, how strong each is, and if no blank is before."""
    caption = words.caption
    spans = [
        (*span, float(strength)) for span, strength in zip(words.spans, strengths, strict=True)
    ]
    end = 0
    for start, stop, strength in [*spans, (len(caption), len(caption), 0.0)]:
        between = [match.span() for match in re.finditer(r"\S+", caption[end:start])]
        for first, last in between:
            piece = (end + first, end + last)
            yield caption[slice(*piece)], 0.0, _is_joined(caption, piece[0])
        if stop > start:
            yield caption[start:stop], strength, _is_joined(caption, start)
        end = stop


def _is_joined(caption: str, start: int) -> bool:
    """Whether no blank stands before a position in a caption."""
    return start > 0 and not caption[start - 1].isspace()


class _Pen:
    """Writes text on axes whose units are inches."""

    def __init__(self, axes: Axes, canvas: FigureCanvasAgg) -> None:
        self._axes = axes
        self._renderer = canvas.get_renderer()

    def width(self, text: str) -> float:
        """The width of a text in inches."""
        probe = self._axes.text(0, 0, text, fontsize=TEXT, parse_math=False)
        extent = probe.get_window_extent(self._renderer)
        probe.remove()
        return float(extent.width) / float(self._axes.figure.dpi)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        *,
        weight: str = "normal",
        cover: tuple[str, float] | None = None,
    ) -> None:
        """Write a text with its top left at (x, y), on a ground of some colour and opacity."""
        box = None
        if cover is not None and cover[1] > 0:
            box = {"facecolor": (*to_rgb(cover[0]), cover[1]), "edgecolor": "none", "pad": 1.0}
        self._axes.text(
            x,
            y,
            text,
            fontsize=size,
            color=colour,
            va="top",
            weight=weight,
            parse_math=False,
            bbox=box,
        )
