"""What all plots share: colours, canvas, rows of names, and a key to the marks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from mmclf.plots.words import shortened

MINUS = "\N{MINUS SIGN}"
INK, MUTED, GRID, PAPER = "#1c1e21", "#5f6670", "#dfe2e6", "#fefefe"
# Blue, vermilion and green of Okabe and Ito, for readers who see colours differently.
SERIES = ("#0072b2", "#d55e00", "#009e73")
# A phone shows it, and a column of a paper, with letters that can be read.
WIDTH_IN = 4.1
ROW_IN, KEY_ROW_IN = 0.25, 0.18
TEXT, SMALL = 9.0, 9.0
NOTEBOOK_DOTS_PER_INCH = 144
LONGEST_NAME = 26
LONGEST_KEY, LONGEST_KEY_ROW = 40, 54  # characters, beyond which the key takes a row a name


@dataclass(frozen=True)
class Look:
    """How one arm or one part is drawn, told apart by more than its colour."""

    colour: str
    marker: str
    dashes: str | tuple[int, tuple[int, ...]]


LOOKS = (Look(SERIES[0], "o", "-"), Look(SERIES[1], "s", (0, (5, 2))))


class Picture(Figure):
    """A figure that a notebook shows by itself, whichever backend matplotlib has there."""

    def _repr_png_(self) -> bytes:
        held = io.BytesIO()
        self.savefig(held, format="png", dpi=NOTEBOOK_DOTS_PER_INCH)
        return held.getvalue()


def canvas(height_in: float, panels: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty figure with so many panels side by side, of a width that a phone can show."""
    figure = Picture(figsize=(WIDTH_IN, height_in), layout="constrained", facecolor=PAPER)
    all_axes = [figure.add_subplot(1, panels, panel + 1) for panel in range(panels)]
    for axes in all_axes:
        axes.patch.set_visible(False)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(GRID)
        axes.tick_params(which="both", length=0, labelsize=SMALL, labelcolor=MUTED)
        axes.grid(color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
        axes.xaxis.label.set(color=MUTED, fontsize=SMALL)
        axes.yaxis.label.set(color=MUTED, fontsize=SMALL)
        axes.ticklabel_format(style="plain", useOffset=False)
    return figure, all_axes


def rows_canvas(names: Sequence[str], axis: str) -> tuple[Figure, Axes]:
    """A figure with a row a name, from top to bottom, over the horizontal axis `axis`."""
    figure, (axes,) = canvas(ROW_IN * len(names) + 1.0)
    labels = [shortened(name, LONGEST_NAME) for name in names]
    # A name may hold a dollar sign, which matplotlib would take for the start of a formula.
    axes.set_yticks(range(len(names)), labels, parse_math=False, fontsize=TEXT, color=INK)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(axis)
    return figure, axes


def in_points(axis: Axis) -> None:
    """Write the numbers of an axis of F1, which are shares, in points."""
    axis.set_major_formatter(lambda share, _place: f"{100 * share:.6g}".replace("-", MINUS))


def write_right_of(axes: Axes, row: int, right: float, text: str, colour: str) -> None:
    """Write `text` right of what a row draws, which ends at `right`."""
    axes.annotate(
        text.replace("-", MINUS),
        (right, row),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=colour,
    )


def entitle(axes: Axes, title: str) -> None:
    """Give a panel its title, at its left."""
    axes.set_title(title, loc="left", color=INK, fontsize=TEXT)


def add_key(figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """What the marks stand for, below the panels, which it takes no room from beyond a row."""
    labels = [shortened(name, LONGEST_KEY) for name in names]
    in_a_row = sum(map(len, labels)) + 6 * len(labels) <= LONGEST_KEY_ROW
    columns = len(labels) if in_a_row else 1 + (max(map(len, labels)) <= LONGEST_KEY_ROW // 2 - 6)
    rows = -(-len(labels) // max(columns, 1))
    figure.set_figheight(figure.get_figheight() + KEY_ROW_IN * (rows - 1))
    # Given later, as matplotlib would leave out a name that begins with an underscore.
    legend = figure.legend(
        handles,
        [str(number) for number in range(len(labels))],
        loc="outside lower left",
        ncols=columns,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
    )
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_parse_math(False)
        text.set_text(label)
