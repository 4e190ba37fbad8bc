"""Differences with their intervals, a row each, beside a line at 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mmclf.plots.style import INK, MUTED, PAPER, SERIES, add_key, rows_canvas

SHOWN, CORRECTED, HOLDING = "difference shown", "not shown after correction", "interval holds 0"
# Colour of marker and interval, fill, shape, width of the interval in points.
MARKS = {
    SHOWN: (SERIES[0], SERIES[0], "o", 2.0),
    CORRECTED: (SERIES[0], PAPER, "D", 1.2),
    HOLDING: (MUTED, PAPER, "o", 1.2),
}


@dataclass(frozen=True)
class Interval:
    """A named difference, the ends of its interval (nan if there is none), and if it is shown."""

    name: str
    value: float
    low: float
    high: float
    is_shown: bool


def forest_figure(differences: Sequence[Interval], axis: str) -> Figure:
    """A row each difference, in the given order, with its interval from low to high.

    Filled if the difference is shown, a hollow diamond if its interval excludes 0 all the same,
    hollow and grey if it holds 0 or is nan. `axis` says what of, and the unit.
    """
    figure, axes = rows_canvas([difference.name for difference in differences], axis)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    states = [_state(difference) for difference in differences]
    for row, (difference, state) in enumerate(zip(differences, states, strict=True)):
        _mark(axes, state, difference, row)
    axes.xaxis.set_major_formatter(_signed)
    axes.margins(x=0.08)
    used = [state for state in MARKS if state in states]
    add_key(figure, [_handle(state) for state in used], used)
    return figure


def _signed(value: float, _position: float) -> str:
    rounded = round(value, 9)
    return f"{rounded:+g}".replace("-", "\N{MINUS SIGN}") if rounded else "0"


def _state(difference: Interval) -> str:
    if difference.is_shown:
        return SHOWN
    return CORRECTED if difference.low > 0 or difference.high < 0 else HOLDING


def _mark(axes: Axes, state: str, difference: Interval, row: int) -> None:
    colour, fill, shape, width = MARKS[state]
    ends = [difference.low, difference.high]
    axes.plot(ends, [row, row], color=colour, linewidth=width, solid_capstyle="butt")
    axes.plot([difference.value], [row], shape, color=colour, markerfacecolor=fill, markersize=6)


def _handle(state: str) -> Line2D:
    colour, fill, shape, width = MARKS[state]
    return Line2D(
        [], [], color=colour, marker=shape, markerfacecolor=fill, markersize=6, linewidth=width
    )
