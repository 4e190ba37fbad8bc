"""Each label's share of the parts of the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from mmclf.plots.style import MUTED, PAPER, SERIES, add_key, in_points, rows_canvas, write_right_of

Floats = NDArray[np.float64]
MARKS = ((SERIES[1], "^"), (SERIES[2], "s"))  # of the parts beside the first
HEIGHT = 0.7  # of a bar, of its row
MOST_LABELS = 60


def by_frequency(shares: Floats) -> list[int]:
    """The indices of the labels by their shares (L,), the most frequent first.

    Of more than 60 the 30 most frequent and the 30 rarest, as no more could be read.
    """
    order = [int(label) for label in np.argsort(-shares, kind="stable")]
    half = MOST_LABELS // 2
    return order if len(order) <= MOST_LABELS else order[:half] + order[-half:]


def label_shares_figure(labels: Sequence[str], shares: Mapping[str, Floats]) -> Figure:
    """A row a label, by its frequency in the first part: its share (L,) of each part's samples.

    A bar from 0 is the share of the first part, which is written beside it; marks are the others.
    """
    first, *others = shares
    order = by_frequency(shares[first])
    figure, axes = rows_canvas([labels[label] for label in order], "share of samples, %")
    rows = np.arange(len(order))
    bar: dict[str, Any] = {"facecolor": SERIES[0], "alpha": 0.35, "linewidth": 0}
    axes.barh(rows, shares[first][order], HEIGHT, **bar)
    handles: list[Artist] = [Patch(**bar)]
    for (colour, mark), part in zip(MARKS, others, strict=False):
        style: dict[str, Any] = {
            "color": colour,
            "marker": mark,
            "markersize": 6,
            "linestyle": "none",
            "markeredgewidth": 1.4,
            "markerfacecolor": PAPER,
            "clip_on": False,
        }
        axes.plot(shares[part][order], rows, **style)
        handles.append(Line2D([], [], **style))
    every = np.stack([values[order] for values in shares.values()])
    for row, (share, right) in enumerate(zip(every[0], every.max(axis=0), strict=True)):
        write_right_of(axes, row, float(right), _percent(float(share)), MUTED)
    axes.set_xlim(0, max(1.16 * float(every.max(initial=0.0)), 0.001))
    in_points(axes.xaxis)
    add_key(figure, handles, list(shares))
    return figure


def _percent(share: float) -> str:
    """As `12 %`, or `0.61 %` where it is less than 10."""
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.2g} %"
