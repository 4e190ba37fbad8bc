from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.container import BarContainer

from mmclf.plots.run_figures import label_shares_figure, learning_curves_figure

NAMES = [f"label {i}" for i in range(18)]
SHARES = {
    "train": np.linspace(0.01, 0.76, 18),
    "val": np.linspace(0.02, 0.7, 18),
    "test": np.linspace(0.0, 0.5, 18),
}


def test_bars_are_as_high_as_the_shares(tmp_path: Path) -> None:
    figure = label_shares_figure(SHARES, NAMES)
    (axes,) = figure.axes
    parts = [bars for bars in axes.containers if isinstance(bars, BarContainer)]
    assert [bars.get_label() for bars in parts] == list(SHARES)
    for bars, shares in zip(parts, SHARES.values(), strict=True):
        heights = [bar.get_height() for bar in bars.patches]
        assert heights == pytest.approx(100 * shares)
    figure.savefig(tmp_path / "shares.png", dpi=40)
    assert (tmp_path / "shares.png").stat().st_size > 1000


def test_all_labels_stand_below_their_bars() -> None:
    (axes,) = label_shares_figure(SHARES, NAMES).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == NAMES
    assert list(axes.get_xticks()) == list(range(18))
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["train", "val", "test"]
    # The bars of a label stand side by side, within its place, without touching the next label's.
    edges = [
        (bars.patches[3].get_x(), bars.patches[3].get_x() + bars.patches[3].get_width())
        for bars in axes.containers
        if isinstance(bars, BarContainer)
    ]
    assert edges[0][0] == pytest.approx(2.6)
    assert edges[-1][1] == pytest.approx(3.4)
    assert [right for _, right in edges[:-1]] == pytest.approx([left for left, _ in edges[1:]])


def test_curves_go_through_the_history() -> None:
    history = {
        "train/loss": [0.9, 0.5, 0.3],
        "val/loss": [0.8, 0.6, 0.65],
        "train/f1_samples": [0.2, 0.4, 0.6],
        "val/f1_samples": [0.1, 0.3, 0.35],
        "val/map": [0.0, 0.0, 0.0],
    }
    figure = learning_curves_figure(history)
    assert [axes.get_title() for axes in figure.axes] == ["Loss", "Samples-F1"]
    for axes, metric in zip(figure.axes, ("loss", "f1_samples"), strict=True):
        lines = {str(line.get_label()): line for line in axes.get_lines()}
        assert list(lines) == ["train", "val"]
        for part, line in lines.items():
            assert np.asarray(line.get_xdata()).tolist() == [1, 2, 3]
            assert np.asarray(line.get_ydata()).tolist() == history[f"{part}/{metric}"]
        assert axes.get_xlabel() == "epoch"
