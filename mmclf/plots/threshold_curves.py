"""F1 against the threshold, of validation and test samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mmclf.plots.lines import draw_seeds, line_handle
from mmclf.plots.style import LOOKS, PAPER, Look, add_key, canvas, entitle

Floats = NDArray[np.float64]


def threshold_curves_figure(
    thresholds: Mapping[str, Floats],
    val: Mapping[str, Floats],
    test: Mapping[str, Floats],
    chosen: Mapping[str, Sequence[float | None]],
) -> Figure:
    """Two panels, val and test: by arm the mean over seeds of the curves (S, T) and their band.

    All are by arm, of two at most: `thresholds` (T,), `val` and `test` samples-F1 there, `chosen`
    the threshold of each of S runs, which stands on its arm's curve; None where there is no one.
    """
    figure, panels = canvas(3.1, panels=2)
    for axes, part, curves in zip(panels, ("val", "test"), (val, test), strict=True):
        for look, (arm, values) in zip(LOOKS, curves.items(), strict=False):
            draw_seeds(axes, thresholds[arm], values, look)
            _mark(axes, thresholds[arm], values, chosen[arm], look)
        entitle(axes, part)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        axes.set_xlabel("threshold")
    low, high = _common_limits(panels)
    for axes in panels:
        axes.set_ylim(low, high)
    panels[0].set_ylabel("samples-F1")
    looks = LOOKS[: len(val)]
    add_key(figure, [line_handle(look, markerfacecolor=PAPER) for look in looks], list(val))
    return figure


def _mark(
    axes: Axes, places: Floats, values: Floats, chosen: Sequence[float | None], look: Look
) -> None:
    """Mark each run's threshold on its arm's mean curve."""
    given = np.unique([one for one in chosen if one is not None])
    if given.size:
        axes.plot(
            given,
            np.interp(given, places, values.mean(axis=0)),
            look.marker,
            color=look.colour,
            markerfacecolor=PAPER,
            markeredgewidth=1.6,
            markersize=6,
        )


def _common_limits(panels: Sequence[Axes]) -> tuple[float, float]:
    limits = [axes.get_ylim() for axes in panels]
    return max(0.0, min(low for low, _ in limits)), max(high for _, high in limits)
