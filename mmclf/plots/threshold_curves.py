"""F1 against the threshold, of validation and test samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mmclf.plots.lines import draw_seeds, line_handle
from mmclf.plots.style import LOOKS, PAPER, Look, add_key, canvas, entitle, in_points

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ThresholdCurves:
    """An arm's F1 by the threshold: `val` and `test` (S, T) of S seeds at `thresholds` (T,).

    `chosen`: the threshold of each run; None where each label has its own.
    """

    thresholds: Floats
    val: Floats
    test: Floats
    chosen: Sequence[float | None]


def threshold_curves_figure(arms: Mapping[str, ThresholdCurves]) -> Figure:
    """Two panels, val and test: of each arm, of two at most, the mean over seeds and their band.

    The thresholds that the runs used stand on their arm's curve.
    """
    figure, panels = canvas(3.1, panels=2)
    for axes, part in zip(panels, ("val", "test"), strict=True):
        for look, arm in zip(LOOKS, arms.values(), strict=False):
            values = arm.val if part == "val" else arm.test
            draw_seeds(axes, arm.thresholds, values, look)
            _mark(axes, arm.thresholds, values, arm.chosen, look)
        entitle(axes, part)
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        axes.set_xlabel("threshold")
    low, high = _common_limits(panels)
    for axes in panels:
        axes.set_ylim(low, high)
        in_points(axes.yaxis)
    panels[0].set_ylabel("samples-F1, points")
    handles = [line_handle(look, markerfacecolor=PAPER) for look in LOOKS[: len(arms)]]
    add_key(figure, handles, list(arms))
    return figure


def _mark(
    axes: Axes, thresholds: Floats, values: Floats, chosen: Sequence[float | None], look: Look
) -> None:
    """Mark each run's threshold on its arm's mean curve."""
    used = np.unique([threshold for threshold in chosen if threshold is not None])
    if used.size:
        axes.plot(
            used,
            np.interp(used, thresholds, values.mean(axis=0)),
            look.marker,
            color=look.colour,
            markerfacecolor=PAPER,
            markeredgewidth=1.6,
            markersize=6,
        )


def _common_limits(panels: Sequence[Axes]) -> tuple[float, float]:
    limits = [axes.get_ylim() for axes in panels]
    return max(0.0, min(low for low, _ in limits)), max(high for _, high in limits)
