"""Loss and samples-F1 over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mmclf.plots.lines import draw_seeds, line_handle
from mmclf.plots.style import LOOKS, PAPER, Look, add_key, canvas, entitle, in_points

Floats = NDArray[np.float64]
Curve = Sequence[tuple[int, float]]
METRICS = {"loss": "loss", "f1_samples": "samples-F1, points"}
# Line and fill of a part; val, which decides, is the heavier one.
PARTS = {"train": {"linewidth": 1.0, "linestyle": ":"}, "val": {"linewidth": 2.0, "linestyle": "-"}}


def learning_curves_figure(histories: Mapping[str, Mapping[str, Sequence[Curve]]]) -> Figure:
    """Two panels, loss and samples-F1: by arm, of two at most, train dotted and val solid.

    `histories` holds by arm (an arm alone may have an empty name), and then by metric
    `{train,val}/{loss,f1_samples}`, a curve of (epoch, value) for each seed. The lines are means
    over the seeds that got as far, within their band.
    """
    figure, panels = canvas(3.1, panels=2)
    for axes, (metric, title) in zip(panels, METRICS.items(), strict=True):
        for look, history in zip(LOOKS, histories.values(), strict=False):
            for part, line in PARTS.items():
                epochs, values = by_epoch(history.get(f"{part}/{metric}", ()))
                every = max(1, len(epochs) // 8)
                marks = {"marker": look.marker, "markevery": every, "markersize": 4.5}
                draw_seeds(axes, epochs, values, look, **line, **marks, **_fill(part, look))
        entitle(axes, title)
        axes.set_xlabel("epoch")
        if metric != "loss":
            in_points(axes.yaxis)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    looks = dict(zip(histories, LOOKS, strict=False))
    pairs = [(look, arm, part) for arm, look in looks.items() for part in PARTS]
    handles = [line_handle(look, **PARTS[part], **_fill(part, look)) for look, _, part in pairs]
    add_key(figure, handles, [f"{part}: {arm}" if arm else part for _, arm, part in pairs])
    return figure


def _fill(part: str, look: Look) -> dict[str, str]:
    return {"markerfacecolor": look.colour if part == "val" else PAPER}


def by_epoch(curves: Sequence[Curve]) -> tuple[Floats, Floats]:
    """The epochs (E,) of any curve, and each curve's values there (S, E), nan where it has none."""
    epochs = sorted({epoch for curve in curves for epoch, _ in curve})
    values = [[dict(curve).get(epoch, np.nan) for epoch in epochs] for curve in curves]
    return np.asarray(epochs, dtype=np.float64), np.reshape(values, (len(curves), len(epochs)))
