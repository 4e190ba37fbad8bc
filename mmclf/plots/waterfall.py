"""From one arm's score to another's, and what each change adds on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mmclf.plots.style import INK, MUTED, PAPER, SERIES, SMALL, add_key, rows_canvas

# Not "loss", which a change may be of.
GAIN, DROP, NOT_SHOWN = "gain", "drop", "no effect shown"
# Fill, edge and hatch of a step.
BARS = {
    GAIN: (SERIES[0], SERIES[0], None),
    DROP: (PAPER, SERIES[1], "////"),
    NOT_SHOWN: (PAPER, MUTED, None),
}
HEIGHT = 0.6  # of a bar, of its row


def waterfall_figure(
    start: tuple[str, float],
    names: Sequence[str],
    values: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    shown: Sequence[bool],
    end: tuple[str, float],
    axis: str,
) -> Figure:
    """A row each for `start` and `end`, names with their scores, and for K steps between them.

    Step k goes on from where the one before ended, by `values[k]`, and its whisker from `lows[k]`
    to `highs[k]` beyond its beginning; nan where a step is not known. A step that is not `shown`
    is hollow and grey. Scores and steps are in the same unit, steps written in hundredths of it.
    """
    figure, axes = rows_canvas([start[0], *names, end[0]], axis)
    steps = [0.0 if math.isnan(value) else value for value in values]
    places = [start[1], *(start[1] + done for done in accumulate(steps))]
    _score(axes, 0, start[1])
    used = []
    for row, value in enumerate(values, start=1):
        begin, state = places[row - 1], _state(value, shown[row - 1])
        if math.isnan(value):
            axes.annotate("not known", (begin, row), color=MUTED, fontsize=SMALL, va="center")
            continue
        _step(axes, row, begin, value, state)
        _whisker(axes, row, begin, (value, lows[row - 1], highs[row - 1]))
        used.append(state)
    _score(axes, len(values) + 1, end[1])
    for row, place in enumerate(places):
        axes.vlines(place, row, row + 1, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)
    axes.use_sticky_edges = False  # a bar's end is no edge of the axes
    axes.margins(x=0.14)
    told = [state for state in BARS if state in used]
    add_key(figure, [_patch(state) for state in told], told)
    return figure


def _state(value: float, is_shown: bool) -> str:
    if not is_shown:
        return NOT_SHOWN
    return GAIN if value > 0 else DROP


def _score(axes: Axes, row: int, score: float) -> None:
    axes.plot([score], [row], "D", color=INK, markersize=7)
    _write(axes, row, score, f"{score:.4f}")


def _step(axes: Axes, row: int, begin: float, value: float, state: str) -> None:
    fill, edge, hatch = BARS[state]
    axes.barh(
        row, value, HEIGHT, left=begin, facecolor=fill, edgecolor=edge, hatch=hatch, linewidth=1.2
    )


def _whisker(axes: Axes, row: int, begin: float, reach: tuple[float, float, float]) -> None:
    value, low, high = reach
    axes.plot([begin + low, begin + high], [row, row], "|-", color=INK, linewidth=1.1, markersize=7)
    ends = [one for one in (0.0, value, high) if not math.isnan(one)]
    _write(axes, row, begin + max(ends), f"{100 * value:+.2f}")


def _write(axes: Axes, row: int, right: float, text: str) -> None:
    """Write `text` right of a mark that ends at `right`."""
    axes.annotate(
        text.replace("-", "\N{MINUS SIGN}"),
        (right, row),
        xytext=(7, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL,
        color=INK,
    )


def _patch(state: str) -> Patch:
    fill, edge, hatch = BARS[state]
    return Patch(facecolor=fill, edgecolor=edge, hatch=hatch, linewidth=1.2)
