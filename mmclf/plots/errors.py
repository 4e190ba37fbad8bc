"""The worst errors of the most costly labels, as a sheet of pictures with what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mmclf.plots.style import GRID, INK, MUTED, PAPER, SMALL, TEXT
from mmclf.plots.words import plain, shortened

CELLS = 3  # of false positives, and as many of false negatives, side by side
# In inches: of a cell, of its picture, of a line of text, of what stands above the cells.
CELL, PICTURE, LINE, HEAD, MARGIN = 1.62, 1.5, 0.145, 0.62, 0.12
CAPTION_LINES, CAPTION_WIDTH = 3, 27
TINY = 7.5
KINDS = ("false positives", "false negatives")


@dataclass(frozen=True)
class ErrorSample:
    """A sample whose label is decided wrongly.

    Args:
        picture: (H, W, 3); None without images.
        caption: empty without.
        labels: that it has, by name.
        probability: of the label that is wrong.

    """

    picture: NDArray[np.uint8] | None
    caption: str
    labels: Sequence[str]
    probability: float


@dataclass(frozen=True)
class ErrorRow:
    """The worst errors of one label, below its `title`."""

    title: str
    false_positives: Sequence[ErrorSample]
    false_negatives: Sequence[ErrorSample]


def errors_figure(rows: Sequence[ErrorRow]) -> Figure:
    """A row a label: on the left its worst false positives, on the right its false negatives."""
    has_pictures = any(
        sample.picture is not None
        for row in rows
        for sample in (*row.false_positives, *row.false_negatives)
    )
    height = (PICTURE if has_pictures else 0) + LINE * (CAPTION_LINES + 2) + HEAD
    width = 2 * CELLS * CELL + 3 * MARGIN
    whole = (width, height * max(len(rows), 1))
    figure = Figure(figsize=whole, facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for number, row in enumerate(rows):
        top = whole[1] - number * height
        _text(axes, MARGIN, top - 0.12, shortened(row.title, 110), TEXT, INK, weight="bold")
        sides = (row.false_positives, row.false_negatives)
        for side, (kind, samples) in enumerate(zip(KINDS, sides, strict=True)):
            left = MARGIN + side * (CELLS * CELL + MARGIN)
            words = kind if samples else f"no {kind}"
            _text(axes, left, top - 0.36, words, SMALL, MUTED)
            for cell, sample in enumerate(samples[:CELLS]):
                _draw(axes, sample, left + cell * CELL, top - HEAD + 0.04, has_pictures)
        if number > 0:
            axes.axhline(top, color=GRID, linewidth=0.7)
    # After the pictures, each of which would set them.
    axes.set_xlim(0, whole[0])
    axes.set_ylim(0, whole[1])
    axes.set_aspect("auto")
    return figure


def _draw(axes: Axes, sample: ErrorSample, left: float, top: float, has_pictures: bool) -> None:
    """A sample's picture, and below it what the model and the data say."""
    if sample.picture is not None:
        rows, columns = sample.picture.shape[:2]
        scale = PICTURE / max(rows, columns)
        extent = (left, left + scale * columns, top - scale * rows, top)
        axes.imshow(sample.picture, extent=extent, interpolation="bilinear")
    if has_pictures:
        top -= PICTURE + 0.04
    labels = shortened(", ".join(sample.labels) or "no label", CAPTION_WIDTH - 4)
    _text(axes, left, top, f"{sample.probability:.2f}", TINY, INK, weight="bold")
    _text(axes, left + 0.3, top, f"is {labels}", TINY, INK)
    for number, line in enumerate(_caption_lines(sample.caption)):
        _text(axes, left, top - LINE * (number + 1), line, TINY, MUTED)


def _caption_lines(caption: str) -> list[str]:
    """The beginning of a caption in lines of a cell's width."""
    lines = wrap(plain(caption), CAPTION_WIDTH)
    more = len(lines) > CAPTION_LINES
    return [*lines[: CAPTION_LINES - 1], f"{lines[CAPTION_LINES - 1]}…"] if more else lines


def _text(
    axes: Axes, x: float, y: float, words: str, size: float, colour: str, weight: str = "normal"
) -> None:
    axes.text(x, y, words, fontsize=size, color=colour, va="top", parse_math=False, weight=weight)
