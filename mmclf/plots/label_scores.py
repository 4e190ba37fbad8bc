"""The F1 of each label, of one arm or of two side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mmclf.plots.style import LOOKS, MUTED, PAPER, add_key, in_points, rows_canvas

Floats = NDArray[np.float64]


def label_scores_figure(labels: Sequence[str], scores: Mapping[str, Floats]) -> Figure:
    """A row a label, in the given order, with the F1 (L,) of each arm, of two at most.

    A line joins the two. The first arm's marks are hollow; a label without an F1 (nan) has none.
    """
    figure, axes = rows_canvas(labels, "F1 on the test set, points")
    in_points(axes.xaxis)
    rows = np.arange(len(labels))
    both = np.stack(list(scores.values()))
    axes.hlines(rows, both.min(axis=0), both.max(axis=0), color=MUTED, linewidth=1.4)
    handles = []
    for number, (look, values) in enumerate(zip(LOOKS, scores.values(), strict=False)):
        style: dict[str, Any] = {
            "color": look.colour,
            "marker": look.marker,
            "markerfacecolor": PAPER if number == 0 else look.colour,
            "markeredgewidth": 1.6,
            "markersize": 6,
            "linestyle": "none",
        }
        axes.plot(values, rows, **style)
        handles.append(Line2D([], [], **style))
    axes.margins(x=0.05)
    add_key(figure, handles, list(scores))
    return figure
