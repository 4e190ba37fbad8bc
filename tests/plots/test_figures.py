from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Annotation

from mmclf.plots.cost import cost_figure
from mmclf.plots.forest import INNER, MARKS, SIMULTANEOUS, Interval, forest_figure
from mmclf.plots.label_scores import label_scores_figure
from mmclf.plots.label_shares import label_shares_figure
from mmclf.plots.learning_curves import by_epoch, learning_curves_figure
from mmclf.plots.style import LOOKS, MUTED, PAPER, SERIES, Picture
from mmclf.plots.threshold_curves import ThresholdCurves, threshold_curves_figure
from mmclf.plots.waterfall import BARS, waterfall_figure

ODD = ["$\\frac{$", "_hidden", "<b>&\"'", "", "x" * 300, "\x00"]


def drawn(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=40)
    return out.getvalue()


def lines(axes: Axes) -> list[Line2D]:
    return list(axes.get_lines())


def data(line: Line2D) -> tuple[list[float], list[float]]:
    return np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()


def reach(bar: Patch) -> tuple[float, float]:
    box = bar.get_path().get_extents(bar.get_patch_transform())
    return float(box.x0), float(box.x1)


def row_names(axes: Axes) -> list[str]:
    return [tick.get_text() for tick in axes.get_yticklabels()]


def key_of(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def test_forest_draws_each_verdict_both_intervals_and_the_margin() -> None:
    nan = math.nan
    rows = [
        Interval("a", 2.0, 1.0, 0.8, "better"),
        Interval("b", -2.0, 1.5, 0.9, "worse"),
        Interval("c", 0.1, 0.4, 0.3, "equal"),
        Interval("d", 0.5, 1.0, 0.7, "undecided"),
        Interval("e", 0.4, nan, nan, "undecided"),
    ]
    figure = forest_figure(rows, "points", 0.5)
    (axes,) = figure.axes
    assert row_names(axes) == ["a", "b", "c", "d", "e"]
    (band,) = axes.patches
    assert reach(band) == (-0.5, 0.5)
    zero, *rest = lines(axes)
    assert data(zero)[0] == [0, 0]
    outer, inner, marks = rest[::3], rest[1::3], rest[2::3]
    assert data(outer[0]) == ([1.0, 3.0], [0, 0])
    assert data(inner[1]) == ([-2.9, -1.1], [1, 1])
    assert all(
        one.get_linewidth() < two.get_linewidth() for one, two in zip(outer, inner, strict=True)
    )
    assert [data(mark) for mark in marks] == [([r.value], [i]) for i, r in enumerate(rows)]
    assert [mark.get_color() for mark in marks] == [*SERIES, MUTED, MUTED]
    assert [mark.get_markerfacecolor() for mark in marks] == [*SERIES, PAPER, PAPER]
    assert len({(mark.get_marker(), mark.get_markerfacecolor()) for mark in marks}) == 4
    assert key_of(figure) == [*MARKS, SIMULTANEOUS, INNER, "margin of ±0.5"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first row is on top


def test_a_key_names_the_verdicts_that_are_drawn_alone() -> None:
    figure = forest_figure([Interval("a", 2.0, 1.0, 0.8, "better")], "points", 0.5)
    assert key_of(figure)[:2] == ["better", SIMULTANEOUS]


@pytest.mark.parametrize("rows", [1, 70])
def test_forest_of_one_row_and_of_many(rows: int) -> None:
    values = np.linspace(-3, 3, rows).tolist()
    arms = [Interval("arm", value, 1, 0.5, "undecided") for value in values]
    figure = forest_figure(arms, "points", 0.0)
    assert drawn(figure)
    assert figure.get_size_inches()[1] < 20


def test_waterfall_steps_begin_where_the_last_one_ended() -> None:
    figure = waterfall_figure(
        ("default", 0.70),
        [
            Interval("a", 0.05, 0.01, 0.005, "better"),
            Interval("b", -0.02, 0.01, 0.005, "worse"),
            Interval("c", 0.01, 0.02, 0.015, "undecided"),
            Interval("d", 0.0, 0.002, 0.001, "equal"),
        ],
        ("improved", 0.74),
        "F1",
    )
    (axes,) = figure.axes
    assert row_names(axes) == ["default", "a", "b", "c", "d", "improved"]
    bars = [reach(bar) for bar in axes.patches]
    expected = [(0.70, 0.75), (0.73, 0.75), (0.73, 0.74), (0.74, 0.74)]
    assert np.allclose(bars, expected)
    assert len({(bar.get_hatch(), bar.get_facecolor()) for bar in axes.patches}) == 4
    start, *whiskers, end = lines(axes)
    assert data(start) == ([0.70], [0])
    assert data(end) == ([0.74], [5])
    ends = [data(whisker)[0] for whisker in whiskers]
    assert np.allclose(ends[::2], [(0.74, 0.76), (0.72, 0.74), (0.72, 0.76), (0.738, 0.742)])
    assert np.allclose(ends[1], (0.745, 0.755))
    assert [text.get_text() for text in axes.texts] == [
        *("70.00", "+5.00", "\N{MINUS SIGN}2.00", "+1.00", "+0.00", "74.00")
    ]
    assert key_of(figure) == [*BARS, SIMULTANEOUS, INNER]


def test_waterfall_goes_on_after_a_step_that_is_not_known() -> None:
    nan = math.nan
    figure = waterfall_figure(
        ("a", 0.5),
        [
            Interval("x", nan, nan, nan, "undecided"),
            Interval("y", 0.1, 0.05, 0.04, "better"),
        ],
        ("b", 0.6),
        "F1",
    )
    (axes,) = figure.axes
    (bar,) = axes.patches
    assert reach(bar) == pytest.approx((0.5, 0.6))
    assert "not known" in [text.get_text() for text in axes.texts]
    assert key_of(figure)[0] == "better"
    assert drawn(figure)


def test_label_scores_join_both_arms() -> None:
    scores = {"base": np.asarray([0.5, 0.4]), "best": np.asarray([0.6, math.nan])}
    figure = label_scores_figure(["cat", "dog (rare, 0.5 %)"], scores)
    (axes,) = figure.axes
    assert row_names(axes) == ["cat", "dog (rare, 0.5 %)"]
    for line, values in zip(lines(axes), scores.values(), strict=True):
        assert np.array_equal(np.asarray(line.get_xdata()), values, equal_nan=True)
    assert key_of(figure) == ["base", "best"]
    assert len({line.get_marker() for line in lines(axes)}) == 2
    assert drawn(figure)


def test_one_arm_alone_has_label_scores() -> None:
    figure = label_scores_figure(["cat"], {"base": np.asarray([0.5])})
    assert key_of(figure) == ["base"]
    assert drawn(figure)


def test_label_shares_are_bars_from_0_the_most_frequent_label_first() -> None:
    shares = {"train": np.asarray([0.0061, 0.5]), "val": np.asarray([0.0, 0.7])}
    figure = label_shares_figure(["dog", "cat"], shares)
    (axes,) = figure.axes
    assert row_names(axes) == ["cat", "dog"]
    assert [reach(bar) for bar in axes.patches] == [(0, 0.5), (0, pytest.approx(0.0061))]
    assert [data(line) for line in lines(axes)] == [([0.7, 0.0], [0, 1])]
    assert axes.get_xlim()[0] == 0
    assert key_of(figure) == ["train", "val"]
    assert [text.get_text() for text in axes.texts] == ["50 %", "0.61 %"]
    # What is written stands beyond all marks of its row.
    notes = [text for text in axes.texts if isinstance(text, Annotation)]
    assert [note.xy[0] for note in notes] == [0.7, 0.0061]


def test_of_many_labels_the_most_frequent_and_the_rarest_are_drawn() -> None:
    shares = np.linspace(0.5, 0.001, 2000)
    figure = label_shares_figure([f"label {place}" for place in range(2000)], {"train": shares})
    names = row_names(figure.axes[0])
    assert names == [f"label {place}" for place in (*range(30), *range(1970, 2000))]
    assert figure.get_size_inches()[1] < 20


@pytest.mark.parametrize("shares", [[0.0, 0.0], [1.0, 1.0], [1e-5, 0.9]])
def test_label_shares_at_the_extremes(shares: list[float]) -> None:
    figure = label_shares_figure(["cat", "dog"], {"train": np.asarray(shares)})
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    assert low == 0 < high
    assert high >= max(shares)
    assert drawn(figure)


THRESHOLDS = np.linspace(0.1, 0.9, 9)


def threshold_curves(chosen: Sequence[float | None], seeds: int = 2) -> Figure:
    curves = np.stack([0.8 - (THRESHOLDS - 0.4) ** 2 + 0.01 * seed for seed in range(seeds)])
    base = ThresholdCurves(THRESHOLDS, curves + 0.02, curves, chosen)
    return threshold_curves_figure({"base": base})


def test_threshold_curves_are_means_over_seeds_with_what_was_chosen() -> None:
    figure = threshold_curves([0.4, 0.45])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["val", "test"]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    curve, marks = lines(figure.axes[1])
    assert np.allclose(curve.get_ydata(), 0.8 - (THRESHOLDS - 0.4) ** 2 + 0.005)
    assert data(marks)[0] == [0.4, 0.45]
    assert len(figure.axes[1].collections) == 1


def test_a_threshold_for_each_label_is_no_mark_and_one_seed_no_band() -> None:
    figure = threshold_curves([None], seeds=1)
    assert len(lines(figure.axes[0])) == 1
    assert not figure.axes[0].collections


def test_curves_of_seeds_that_stop_at_different_epochs() -> None:
    epochs, values = by_epoch([((1, 0.1), (2, 0.2), (3, 0.3)), ((1, 0.3), (2, 0.4))])
    assert epochs.tolist() == [1, 2, 3]
    assert np.array_equal(values, [[0.1, 0.2, 0.3], [0.3, 0.4, math.nan]], equal_nan=True)
    history: Mapping[str, Sequence[Sequence[tuple[int, float]]]] = {
        "train/loss": [((1, 0.1), (2, 0.2), (3, 0.3)), ((1, 0.3), (2, 0.4))],
        "val/loss": [((1, math.inf), (2, math.nan))],
    }
    figure = learning_curves_figure({"base": history})
    loss, score = figure.axes
    (train,) = lines(loss)
    assert np.allclose(train.get_ydata(), [0.2, 0.3, 0.3])
    assert not lines(score)
    assert drawn(figure)


def test_learning_curves_of_two_arms_differ_by_mark_and_parts_by_line() -> None:
    curve = [((1, 0.1), (2, 0.2))]
    history = {f"{part}/{m}": curve for part in ("train", "val") for m in ("loss", "f1_samples")}
    figure = learning_curves_figure({"base": history, "best": history})
    texts = lines(figure.axes[0])
    assert [line.get_marker() for line in texts] == [LOOKS[0].marker] * 2 + [LOOKS[1].marker] * 2
    assert [line.get_linestyle() for line in texts] == [":", "-", ":", "-"]
    assert key_of(figure) == ["train: base", "val: base", "train: best", "val: best"]


def test_learning_curves_of_a_run_alone_are_named_by_their_parts() -> None:
    history = {"train/loss": [((1, 0.9), (2, 0.5))], "val/loss": [((1, 0.8), (2, 0.6))]}
    figure = learning_curves_figure({"": history})
    assert key_of(figure) == ["train", "val"]
    loss, _ = figure.axes
    assert [data(line) for line in lines(loss)] == [([1, 2], [0.9, 0.5]), ([1, 2], [0.8, 0.6])]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "samples-F1, points"]


def test_f1_is_drawn_in_points() -> None:
    values = np.asarray([0.5, 0.75])
    scores = label_scores_figure(["cat", "dog"], {"a": values}).axes[0]
    cost = cost_figure(["a", "b"], np.asarray([1.0, 2.0]), np.zeros(2), values, "a", "F1").axes[0]
    for axis in (scores.xaxis, cost.yaxis):
        spelt = [axis.get_major_formatter()(value) for value in (0.5, 0.505, 0.0, -0.1)]
        assert spelt == ["50", "50.5", "0", "\N{MINUS SIGN}10"]


def test_a_notebook_shows_a_figure_by_itself() -> None:
    figure = label_scores_figure(["cat"], {"base": np.asarray([0.5])})
    assert isinstance(figure, Picture)
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_odd_names_are_drawn_as_they_are() -> None:
    rows = [Interval(name, 1.0, 1.0, 1.0, "better") for name in ODD]
    some = np.linspace(0.4, 0.5, len(ODD))
    for figure in (
        forest_figure(rows, "points", 0.5),
        waterfall_figure(("$a$", 0.5), rows, ("$b", 0.6), "F1"),
        cost_figure(ODD, np.arange(1.0, 7), np.zeros(6), some, "_hidden", "F1"),
        label_scores_figure(ODD, {"_a": some, "$b": some}),
        label_shares_figure(ODD, {"train": some}),
    ):
        assert drawn(figure)
    assert key_of(label_scores_figure(ODD, {"_a": some, "$b": some})) == ["_a", "$b"]
