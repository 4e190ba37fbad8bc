"""From one arm's score to another's, and what each change adds on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mmclf.plots.forest import Interval, interval_words
from mmclf.plots.style import (
    INK,
    MUTED,
    PAPER,
    SERIES,
    SMALL,
    add_key,
    in_points,
    rows_canvas,
    write_right_of,
)

# Fill, edge and hatch of a step, by its verdict.
BARS: Mapping[str, tuple[str, str, str | None]] = {
    "better": (SERIES[0], SERIES[0], None),
    "worse": (PAPER, SERIES[1], "////"),
    "equal": (PAPER, SERIES[2], "...."),
    "undecided": (PAPER, MUTED, None),
}
HEIGHT = 0.6  # of a bar, of its row
WHISKER: Mapping[str, Any] = {"linewidth": 1.1, "marker": "|", "markersize": 7}
INNER_WHISKER: Mapping[str, Any] = {"linewidth": 3.2, "solid_capstyle": "butt"}


def waterfall_figure(
    start: tuple[str, float], steps: Sequence[Interval], end: tuple[str, float], axis: str
) -> Figure:
    """A row each for `start` and `end`, names with their scores, and for the steps between them.

    A step goes on from where the one before ended, by its value, drawn by its verdict. Its whisker
    is the 95 % interval of its end, beyond its beginning; the thicker part is the 90 % one. Scores
    and steps are shares, written in points.
    """
    figure, axes = rows_canvas([start[0], *(step.name for step in steps), end[0]], axis)
    in_points(axes.xaxis)
    values = [0.0 if math.isnan(step.value) else step.value for step in steps]
    begins = list(accumulate(values, initial=start[1]))
    _score(axes, 0, start[1])
    used = []
    for row, (step, begin) in enumerate(zip(steps, begins, strict=False), start=1):
        if math.isnan(step.value):
            axes.annotate("not known", (begin, row), color=MUTED, fontsize=SMALL, va="center")
            continue
        used.append(step.verdict)
        _step(axes, row, begin, step)
        _whisker(axes, row, begin, step)
    _score(axes, len(steps) + 1, end[1])
    for row, begin in enumerate(begins):
        axes.vlines(begin, row, row + 1, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)
    axes.use_sticky_edges = False  # a bar's end is no edge of the axes
    axes.margins(x=0.14)
    verdicts = [verdict for verdict in BARS if verdict in used]
    if verdicts:
        intervals = interval_words(steps)
        lines = [_line(WHISKER), _line(INNER_WHISKER)][: len(intervals)]
        add_key(figure, [*map(_patch, verdicts), *lines], [*verdicts, *intervals])
    return figure


def _score(axes: Axes, row: int, score: float) -> None:
    axes.plot([score], [row], "D", color=INK, markersize=7)
    write_right_of(axes, row, score, f"{100 * score:.2f}", INK)


def _step(axes: Axes, row: int, begin: float, step: Interval) -> None:
    fill, edge, hatch = BARS[step.verdict]
    colours: dict[str, Any] = {"facecolor": fill, "edgecolor": edge, "hatch": hatch}
    axes.barh(row, step.value, HEIGHT, left=begin, linewidth=1.2, **colours)


def _whisker(axes: Axes, row: int, begin: float, step: Interval) -> None:
    end = begin + step.value
    for reach, style in ((step.reach, WHISKER), (step.inner, INNER_WHISKER)):
        axes.plot([end - reach, end + reach], [row, row], color=INK, **style)
    right = max(of for of in (0.0, step.value, step.value + step.reach) if not math.isnan(of))
    write_right_of(axes, row, begin + right, f"{100 * step.value:+.2f}", INK)


def _patch(verdict: str) -> Patch:
    fill, edge, hatch = BARS[verdict]
    return Patch(facecolor=fill, edgecolor=edge, hatch=hatch, linewidth=1.2)


def _line(style: Mapping[str, Any]) -> Line2D:
    return Line2D([], [], color=INK, **style)
