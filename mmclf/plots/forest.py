"""Differences with their intervals, a row each, beside a line at 0."""

from __future__ import annotations

from collections.abc import Sequence

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


def forest_figure(
    names: Sequence[str],
    values: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    shown: Sequence[bool],
    axis: str,
) -> Figure:
    """A row (R of them) each difference, in the given order, with its interval from low to high.

    Filled if the difference is `shown`, a hollow diamond if its interval excludes 0 all the same,
    hollow and grey if it holds 0 or is not known (nan). `axis` says what of, and the unit.
    """
    figure, axes = rows_canvas(names, axis)
    axes.axvline(0, color=INK, linewidth=0.9, zorder=1)
    used = []
    for row, (value, low, high, is_shown) in enumerate(
        zip(values, lows, highs, shown, strict=True)
    ):
        state = _state(low, high, is_shown)
        _mark(axes, state, value, low, high, row)
        used.append(state)
    axes.xaxis.set_major_formatter(_signed)
    axes.margins(x=0.08)
    told = [state for state in MARKS if state in used]
    add_key(figure, [_handle(state) for state in told], told)
    return figure


def _signed(value: float, _place: float) -> str:
    rounded = round(value, 9)
    return f"{rounded:+g}".replace("-", "\N{MINUS SIGN}") if rounded else "0"


def _state(low: float, high: float, is_shown: bool) -> str:
    if is_shown:
        return SHOWN
    return CORRECTED if low > 0 or high < 0 else HOLDING


def _mark(axes: Axes, state: str, value: float, low: float, high: float, row: int) -> None:
    colour, fill, shape, width = MARKS[state]
    axes.plot([low, high], [row, row], color=colour, linewidth=width, solid_capstyle="butt")
    axes.plot([value], [row], shape, color=colour, markerfacecolor=fill, markersize=6)


def _handle(state: str) -> Line2D:
    colour, fill, shape, width = MARKS[state]
    return Line2D(
        [], [], color=colour, marker=shape, markerfacecolor=fill, markersize=6, linewidth=width
    )
