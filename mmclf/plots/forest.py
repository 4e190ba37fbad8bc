"""Differences with their intervals, a row each, beside a line at 0 and the margin around it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mmclf.plots.style import GRID, INK, MUTED, PAPER, SERIES, add_key, rows_canvas

SIMULTANEOUS, INNER = "95 % interval, of all at once", "90 % interval, for equality"
AFTER_STOPPING = "95 % interval after stopping"
THIN, THICK = 1.2, 5.0  # widths in points
SIZE = 7.0  # of a marker


@dataclass(frozen=True)
class Mark:
    """How a verdict is drawn, told apart by more than its colour: colour, fill and shape."""

    colour: str
    fill: str
    shape: str


MARKS: Mapping[str, Mark] = {
    "better": Mark(SERIES[0], SERIES[0], "o"),
    "worse": Mark(SERIES[1], SERIES[1], "D"),
    "equal": Mark(SERIES[2], SERIES[2], "s"),
    "undecided": Mark(MUTED, PAPER, "o"),
}


@dataclass(frozen=True)
class Interval:
    """A named difference: its value, how far its intervals reach to either side, its verdict.

    `reach`: of the 95 % interval that holds for all comparisons at once; `inner`: of the 90 % one
    that shows equality; nan where they are not known. Where looks decide, `reach` is that after
    stopping, and there is no inner one. `verdict`: one of MARKS.
    """

    name: str
    value: float
    reach: float
    inner: float
    verdict: str


def forest_figure(differences: Sequence[Interval], axis: str, margin: float) -> Figure:
    """A row each difference, in the given order, with its 95 % interval, and 90 % as a thicker bar.

    The band reaches as far as the margin, within which a difference is as good as none. `axis` says
    what of, and the unit.
    """
    figure, axes = rows_canvas([difference.name for difference in differences], axis)
    axes.axvspan(-margin, margin, color=GRID, alpha=0.6, linewidth=0, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    for row, difference in enumerate(differences):
        _mark(axes, difference, row)
    axes.xaxis.set_major_formatter(_signed)
    axes.margins(x=0.08)
    shown = {difference.verdict for difference in differences}
    verdicts = [verdict for verdict in MARKS if verdict in shown]
    add_key(figure, *_key(verdicts, margin, interval_words(differences)))
    return figure


def interval_words(differences: Sequence[Interval]) -> list[str]:
    """What the intervals of differences are: both, or that after stopping alone."""
    has_inner = any(not math.isnan(of.inner) for of in differences)
    return [SIMULTANEOUS, INNER] if has_inner else [AFTER_STOPPING]


def _signed(value: float, _position: float) -> str:
    rounded = round(value, 9)
    return f"{rounded:+g}".replace("-", "\N{MINUS SIGN}") if rounded else "0"


def _mark(axes: Axes, difference: Interval, row: int) -> None:
    mark, value = MARKS[difference.verdict], difference.value
    for reach, width in ((difference.reach, THIN), (difference.inner, THICK)):
        ends = [value - reach, value + reach]
        # The thick bar is as light as a band, so that the thin line's ends stand out.
        alpha = 0.45 if width == THICK else 1.0
        axes.plot(
            ends,
            [row, row],
            color=mark.colour,
            linewidth=width,
            solid_capstyle="butt",
            alpha=alpha,
            zorder=2,
        )
    axes.plot(
        [value],
        [row],
        mark.shape,
        color=mark.colour,
        markerfacecolor=mark.fill,
        markersize=SIZE,
        zorder=3,
    )


def _key(
    verdicts: Sequence[str], margin: float, intervals: Sequence[str]
) -> tuple[list[Artist], list[str]]:
    handles: list[Artist] = [
        Line2D(
            [],
            [],
            color=MARKS[of].colour,
            marker=MARKS[of].shape,
            linestyle="",
            markersize=SIZE,
            markerfacecolor=MARKS[of].fill,
        )
        for of in verdicts
    ]
    lines = [
        Line2D([], [], color=INK, linewidth=THIN),
        Line2D([], [], color=INK, linewidth=THICK, alpha=0.45, solid_capstyle="butt"),
    ]
    handles += [*lines[: len(intervals)], Patch(facecolor=GRID, alpha=0.6)]
    return handles, [*verdicts, *intervals, f"margin of ±{margin:g}"]
