"""Figures, by matplotlib without a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

# Three of the colours that Okabe and Ito chose for readers who see colours differently.
COLOURS = ("#0072B2", "#E69F00", "#009E73")

WIDEST_IN = 100.0


def label_shares_figure(
    shares: Mapping[str, NDArray[np.float64]], label_names: Sequence[str]
) -> Figure:
    """Bars of every label's share of the samples, the parts of the split side by side.

    `shares` holds, by part, the share (L,) of its samples with each label. The axis is logarithmic,
    as a label may stand on three quarters of the samples or on a hundredth.
    """
    width_in = min(max(6.0, 0.55 * len(label_names)), WIDEST_IN)
    figure = Figure(figsize=(width_in, 4.0), layout="constrained")
    axes = figure.add_subplot()
    places = np.arange(len(label_names))
    width = 0.8 / len(shares)
    for i, (part, values) in enumerate(shares.items()):
        offset = (i - (len(shares) - 1) / 2) * width
        axes.bar(places + offset, 100 * values, width, label=part, color=COLOURS[i % len(COLOURS)])
    axes.set_yscale("log")
    axes.set_yticks([1, 3, 10, 30, 100], ["1 %", "3 %", "10 %", "30 %", "100 %"])
    axes.minorticks_off()
    # A label may hold a dollar sign, which matplotlib would take for the start of a formula.
    axes.set_xticks(places, label_names, rotation=45, ha="right", parse_math=False)
    axes.set_ylabel("share of samples")
    axes.set_title("Label shares of the split")
    axes.legend(ncols=len(shares))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def learning_curves_figure(history: Mapping[str, Sequence[float]]) -> Figure:
    """Two panels over the epochs, loss and samples-F1, each with its train and val curve.

    `history` holds a value per epoch of `{train,val}/{loss,f1_samples}`.
    """
    figure = Figure(figsize=(8.0, 3.2))
    # A layout that is computed would take a third of the time, and every run draws this figure.
    figure.subplots_adjust(left=0.08, right=0.98, bottom=0.15, top=0.9, wspace=0.2)
    for place, (metric, title) in enumerate(
        (("loss", "Loss"), ("f1_samples", "Samples-F1")), start=1
    ):
        axes = figure.add_subplot(1, 2, place)
        for part, colour in zip(("train", "val"), COLOURS, strict=False):
            values = history[f"{part}/{metric}"]
            axes.plot(
                range(1, len(values) + 1),
                values,
                marker="o",
                markersize=3,
                label=part,
                color=colour,
            )
        axes.set_xlabel("epoch")
        axes.set_title(title)
        axes.legend()
        axes.spines[["top", "right"]].set_visible(False)
    return figure
