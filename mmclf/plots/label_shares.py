"""Each label's share of the parts of the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mmclf.plots.style import PAPER, SERIES, add_key, rows_canvas

Floats = NDArray[np.float64]
TICKS = (0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
MARKS = ("o", "^", "s")


def label_shares_figure(labels: Sequence[str], shares: Mapping[str, Floats]) -> Figure:
    """A row a label, in the given order: by part, its share (L,) of the part's samples.

    The axis is logarithmic, as a label may stand on three quarters of the samples or on a
    hundredth. A share of 0 stands at its left end, with a cross for a mark.
    """
    figure, axes = rows_canvas(labels, "share of samples")
    rows = np.arange(len(labels))
    every = np.concatenate(list(shares.values()))
    positive = every[every > 0]
    left = 0.6 * float(positive.min()) if positive.size else 0.001
    handles = []
    for colour, mark, values in zip(SERIES, MARKS, shares.values(), strict=False):
        style: dict[str, Any] = {
            "color": colour,
            "markersize": 6,
            "linestyle": "none",
            "markeredgewidth": 1.4,
        }
        there = values > 0
        if not there.all():
            at_edge = np.full((~there).sum(), left)
            axes.plot(at_edge, rows[~there], marker="x", clip_on=False, **style)
        style |= {"marker": mark, "markerfacecolor": PAPER if mark == "^" else colour}
        axes.plot(values[there], rows[there], **style)
        handles.append(Line2D([], [], **style))
    names = list(shares)
    if (every <= 0).any():
        handles.append(Line2D([], [], marker="x", color=SERIES[0], linestyle="none"))
        names.append("no sample")
    axes.set_xscale("log")
    axes.set_xlim(left, max(1.3 * float(every.max(initial=0.0)), 2 * left))
    low, high = axes.get_xlim()
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axes.set_xticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    axes.minorticks_off()
    add_key(figure, handles, names)
    return figure
