"""Curves of several seeds: their mean, and the band from the lowest to the highest."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mmclf.plots.style import Look

Floats = NDArray[np.float64]
BAND = 0.16  # its opacity


def draw_seeds(axes: Axes, positions: Floats, values: Floats, look: Look, **line: Any) -> None:
    """Draw the mean of the curves (S, T) at `positions` (T,), and their band if S > 1.

    At a position where some seeds have no value (nan or infinite), the others count.
    """
    finite = np.where(np.isfinite(values), values, np.nan)
    some = ~np.isnan(finite).all(axis=0)
    positions, finite = positions[some], finite[:, some]
    if not positions.size:
        return
    if len(finite) > 1:
        axes.fill_between(
            positions,
            np.nanmin(finite, axis=0),
            np.nanmax(finite, axis=0),
            color=look.colour,
            alpha=BAND,
            linewidth=0,
        )
    style = {"color": look.colour, "linestyle": look.dashes, "linewidth": 1.8} | line
    axes.plot(positions, np.nanmean(finite, axis=0), **style)


def line_handle(look: Look, **line: Any) -> Line2D:
    """The curve's mark in a key."""
    style = {"color": look.colour, "linestyle": look.dashes, "linewidth": 1.8} | line
    return Line2D([], [], marker=look.marker, markersize=5, **style)
