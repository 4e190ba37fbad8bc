"""F1 against running time, and the arms that no other beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.ticker import LogLocator, MaxNLocator
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from mmclf.plots.style import INK, MUTED, PAPER, SERIES, SMALL, add_key, canvas, in_points
from mmclf.plots.words import shortened

Floats = NDArray[np.float64]
ALL_LABELLED = 12  # arms, beyond which only the baseline, the best and the front have names
SAME_TIME = 0.02  # of the longer of two times, within which they are one
LEAST_SPAN = 0.1  # of the largest time, lest noise fills the axis
LOG_FROM = 10.0  # times so far apart that a linear axis would crowd the fast ones
LONGEST_LABEL = 26
# Where a name begins, in points from its point: right of it, or above and below from there on.
NEAR, FAR = 10.0, 10.0 + SMALL / 2
SPOTS = ((NEAR, 0.0), (NEAR, NEAR), (NEAR, -NEAR), (0.0, FAR), (0.0, -FAR))
MOST_ROOM = 0.6  # of the axes' width that a name may take from it
ALONG = 12  # pieces of each step, whose ends a label keeps off
BASELINE, FRONT, OTHER = "baseline", "no better arm costs as little", "other arms"


def cost_figure(
    names: Sequence[str],
    seconds: Floats,
    noise: Floats,
    scores: Floats,
    baseline: str,
    axis: str,
    sign: int = 1,
    cost_axis: str = "running time from an empty store, s",
) -> Figure:
    """The arms' running times (A,) in seconds and scores (A,), and the Pareto front through them.

    `noise` (A,) is the standard deviation of each time, `axis` says what the scores are, `sign` is
    -1 where less is better, `cost_axis` says what stands in the place of the times. Beyond 12 arms,
    those off the front have no name, but the `baseline` has; nor has one that would cover
    another's.
    """
    figure, (axes,) = canvas(3.4)
    in_points(axes.yaxis)
    front = pareto(seconds, noise, sign * scores)
    axes.step(seconds[front], scores[front], where="post", color=SERIES[0], linewidth=1.2, zorder=1)
    handles = _points(axes, names, seconds, scores, front, baseline)
    axes.set_xlabel(cost_axis)
    axes.set_ylabel(axis)
    if seconds.max() > LOG_FROM * seconds.min() > 0:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
        axes.minorticks_off()
        axes.xaxis.set_major_formatter("{x:g}")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.margins(x=0.12, y=0.12)
    _widen(axes, LEAST_SPAN * float(seconds.max()))
    add_key(figure, list(handles.values()), list(handles))
    # The first ones find room, whatever the others do.
    best = int(np.argmax(sign * scores))
    first = [*(row for row, name in enumerate(names) if name == baseline), best, *front]
    more = range(len(names)) if len(names) <= ALL_LABELLED else ()
    order = list(dict.fromkeys([*first, *more]))
    points = np.column_stack([seconds, scores])
    _label(figure, axes, {row: names[row] for row in order}, points, front)
    return figure


def pareto(seconds: Floats, noise: Floats, scores: Floats) -> list[int]:
    """The rows of the arms that no better one is as fast as; fastest first.

    Two times count as equal if they differ by no more than 2 % of the longer, or than the `noise`
    (A,) of either, nan where it is unknown. Whoever is not among them is beaten by one who is.
    """
    noise = np.nan_to_num(noise, nan=0.0)
    front: list[int] = []
    for row in np.lexsort((seconds, -scores)):
        longer = np.maximum(seconds[front], seconds[row])
        slack = np.maximum(SAME_TIME * longer, np.maximum(noise[front], noise[row]))
        if (seconds[front] > seconds[row] + slack).all():
            front.append(int(row))
    return front[::-1]


def _widen(axes: Axes, least: float) -> None:
    """Let the axis of the times reach over `least` seconds."""
    low, high = axes.get_xlim()
    if high - low < least:
        middle = (low + high) / 2
        axes.set_xlim(middle - least / 2, middle + least / 2)


def _along(front: Floats) -> Floats:
    """Points along the steps between the points (F, 2) of the front."""
    parts = [front]
    for (x, y), (to_x, to_y) in pairwise(front):
        share = np.linspace(0, 1, ALONG + 1)[:, None]
        parts += [(x, y) + share * (to_x - x, 0), (to_x, y) + share * (0, to_y - y)]
    return np.concatenate(parts)


def _points(
    axes: Axes,
    names: Sequence[str],
    seconds: Floats,
    scores: Floats,
    front: Sequence[int],
    baseline: str,
) -> dict[str, Line2D]:
    """Draw the arms; what their marks stand for."""
    every = range(len(names))
    kinds = {
        FRONT: (list(front), "o", SERIES[0], SERIES[0]),
        OTHER: ([row for row in every if row not in front], "o", MUTED, PAPER),
        BASELINE: ([row for row in every if names[row] == baseline], "D", INK, "none"),
    }
    handles = {}
    for kind, (rows, shape, edge, fill) in kinds.items():
        if not rows:
            continue
        style: dict[str, Any] = {"color": edge, "markerfacecolor": fill, "marker": shape}
        # The baseline's mark is around that of its kind.
        style |= {"markersize": 10 if kind == BASELINE else 6, "markeredgewidth": 1.3}
        style["linestyle"] = "none"
        axes.plot(seconds[rows], scores[rows], **style)
        handles[kind] = Line2D([], [], **style | {"markersize": 7})
    return handles


def _label(
    figure: Figure, axes: Axes, names: Mapping[int, str], points: Floats, front: Sequence[int]
) -> None:
    """Write the names of some of the points (A, 2), by their rows, one after the other.

    Each stands where it covers the fewest points and pieces of the line through the `front`. One
    that would cover another, or leave the axes, wherever it stood, is left out.
    """
    # Only a figure that has been laid out knows where its points are.
    figure.draw_without_rendering()
    texts = {row: _written(axes, name, points[row]) for row, name in names.items()}
    _make_room(figure, axes, [(points[row, 0], text) for row, text in texts.items()])
    figure.draw_without_rendering()  # other numbers at the axes may take other room
    area = axes.get_window_extent()
    marks = axes.transData.transform(np.concatenate([points, _along(points[front])]))
    taken: list[Bbox] = []
    for text in texts.values():
        boxes = {spot: _box(text, spot) for spot in SPOTS}
        free = [spot for spot, box in boxes.items() if _is_free(box, area, taken)]
        if free:
            best = min(free, key=lambda spot: boxes[spot].count_contains(marks))
            taken.append(_box(text, best))
        else:
            text.remove()


def _written(axes: Axes, name: str, point: Floats) -> Annotation:
    """The name of a point (2,), right of it."""
    return axes.annotate(
        shortened(name, LONGEST_LABEL),
        (float(point[0]), float(point[1])),
        textcoords="offset points",
        xytext=SPOTS[0],
        ha="left",
        va="center",
        fontsize=SMALL,
        color=INK,
        parse_math=False,
        in_layout=False,
    )


def _make_room(figure: Figure, axes: Axes, names: Sequence[tuple[float, Annotation]]) -> None:
    """Widen the axes to the right until the names right of their points, at `x`, are within."""
    area, scale = axes.get_window_extent(), axes.transScale
    (low, _), (high, _) = scale.transform([(limit, 1.0) for limit in axes.get_xlim()])
    widest = high
    for x, text in names:
        (at, _) = scale.transform((x, 1.0))
        needed = (text.get_window_extent().width + 1.5 * NEAR * figure.dpi / 72) / area.width
        widest = max(widest, low + (at - low) / (1 - min(needed, MOST_ROOM)))
    axes.set_xlim(right=float(scale.inverted().transform((widest, 1.0))[0]))


def _box(text: Annotation, spot: tuple[float, float]) -> Bbox:
    """Where the text is once it stands at a spot."""
    text.set_position(spot)
    return text.get_window_extent()


def _is_free(box: Bbox, area: Bbox, taken: Sequence[Bbox]) -> bool:
    inside = area.x0 <= box.x0 and box.x1 <= area.x1 and area.y0 <= box.y0 and box.y1 <= area.y1
    return bool(inside) and not any(box.overlaps(other) for other in taken)
