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

    The axis is logarithmic, as a label may stand on three quarters of the samples or on a
    hundredth. A share of 0 stands at its left end, with a cross for a mark.
    """
    order = by_frequency(next(iter(shares.values())))
    figure, axes = rows_canvas([labels[label] for label in order], "share of samples")
    drawn = {part: values[order] for part, values in shares.items()}
    every = np.concatenate(list(drawn.values()))
    left = 0.6 * float(every[every > 0].min()) if (every > 0).any() else 0.001
    handles = []
    for colour, mark, values in zip(SERIES, MARKS, drawn.values(), strict=False):
        style: dict[str, Any] = {
            "color": colour,
            "markersize": 6,
            "linestyle": "none",
            "markeredgewidth": 1.4,
        }
        rows, missing = np.flatnonzero(values > 0), np.flatnonzero(values <= 0)
        if missing.size:
            edge = np.full(missing.shape, left)
            axes.plot(edge, missing, marker="x", clip_on=False, **style)
        style |= {"marker": mark, "markerfacecolor": PAPER if mark == "^" else colour}
        axes.plot(values[rows], rows, **style)
        handles.append(Line2D([], [], **style))
    names = list(shares)
    if (every <= 0).any():
        handles.append(Line2D([], [], marker="x", color=SERIES[0], linestyle="none"))
        names.append("no sample")
    axes.set_xscale("log")
    low, high = left, max(1.3 * float(every.max(initial=0.0)), 2 * left)
    axes.set_xlim(low, high)
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axes.set_xticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
    axes.minorticks_off()
    add_key(figure, handles, names)
    return figure
