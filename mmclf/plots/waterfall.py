"""From one arm's score to another's, and what each change adds on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from mmclf.plots.forest import Interval
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
    start: tuple[str, float], steps: Sequence[Interval], end: tuple[str, float], axis: str
) -> Figure:
    """A row each for `start` and `end`, names with their scores, and for the steps between them.

    A step goes on from where the one before ended, by its value, and its whisker reaches from its
    low to its high beyond its beginning. One that is not shown is hollow and grey. Scores and
    steps are in the same unit, steps written in hundredths of it.
    """
    figure, axes = rows_canvas([start[0], *(step.name for step in steps), end[0]], axis)
    values = [0.0 if math.isnan(step.value) else step.value for step in steps]
    begins = list(accumulate(values, initial=start[1]))
    _score(axes, 0, start[1])
    used = []
    for row, (step, begin) in enumerate(zip(steps, begins, strict=False), start=1):
        if math.isnan(step.value):
            axes.annotate("not known", (begin, row), color=MUTED, fontsize=SMALL, va="center")
            continue
        used.append(_state(step))
        _step(axes, row, begin, step)
        _whisker(axes, row, begin, step)
    _score(axes, len(steps) + 1, end[1])
    for row, begin in enumerate(begins):
        axes.vlines(begin, row, row + 1, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)
    axes.use_sticky_edges = False  # a bar's end is no edge of the axes
    axes.margins(x=0.14)
    states = [state for state in BARS if state in used]
    add_key(figure, [_patch(state) for state in states], states)
    return figure


def _state(step: Interval) -> str:
    if not step.is_shown:
        return NOT_SHOWN
    return GAIN if step.value > 0 else DROP


def _score(axes: Axes, row: int, score: float) -> None:
    axes.plot([score], [row], "D", color=INK, markersize=7)
    _write(axes, row, score, f"{score:.4f}")


def _step(axes: Axes, row: int, begin: float, step: Interval) -> None:
    fill, edge, hatch = BARS[_state(step)]
    colours: dict[str, Any] = {"facecolor": fill, "edgecolor": edge, "hatch": hatch}
    axes.barh(row, step.value, HEIGHT, left=begin, linewidth=1.2, **colours)


def _whisker(axes: Axes, row: int, begin: float, step: Interval) -> None:
    ends = [begin + step.low, begin + step.high]
    axes.plot(ends, [row, row], "|-", color=INK, linewidth=1.1, markersize=7)
    right = max(end for end in (0.0, step.value, step.high) if not math.isnan(end))
    _write(axes, row, begin + right, f"{100 * step.value:+.2f}")


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
