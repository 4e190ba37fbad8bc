"""F1 against running time: which arms are on the front, which have names, and the axis."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmclf.plots import cost
from mmclf.plots.cost import cost_figure, pareto


def test_the_front_holds_who_is_beaten_by_none() -> None:
    seconds = np.asarray([10.0, 5.0, 20.0, 5.0, 30.0])
    scores = np.asarray([0.7, 0.6, 0.8, 0.5, 0.8])
    assert pareto(seconds, np.full(5, math.nan), scores) == [1, 0, 2]


@pytest.mark.parametrize(
    ("seconds", "noise", "front"),
    [
        ([100.0, 101.9], [0.0, 0.0], [1]),  # within 2 %
        ([100.0, 102.2], [0.0, 0.0], [0, 1]),
        ([100.0, 104.9], [5.0, 0.0], [1]),  # within the noise of the faster one
        ([100.0, 104.9], [math.nan, 5.0], [1]),  # or of the slower one
        ([100.0, 105.1], [5.0, 5.0], [0, 1]),  # which do not add up
        ([100.0, 101.9], [1.0, 1.0], [1]),  # the larger of the two counts
        ([100.0, 102.2], [math.nan, math.nan], [0, 1]),
    ],
)
def test_times_within_two_percent_or_their_noise_are_the_same(
    seconds: list[float], noise: list[float], front: list[int]
) -> None:
    actual = pareto(np.asarray(seconds), np.asarray(noise), np.asarray([0.5, 0.6]))
    assert actual == front


def test_who_is_not_on_the_front_is_beaten_by_one_who_is() -> None:
    # The first and the last are not equally fast, though each is as fast as the one between.
    seconds, scores = np.asarray([100.0, 101.5, 103.0]), np.asarray([0.5, 0.6, 0.7])
    assert pareto(seconds, np.zeros(3), scores) == [0, 2]


def test_of_arms_with_the_same_score_the_faster_is_on_the_front() -> None:
    assert pareto(np.asarray([9.0, 5.0]), np.zeros(2), np.asarray([0.5, 0.5])) == [1]


def test_where_less_is_better_the_least_is_the_best() -> None:
    seconds, scores = np.asarray([5.0, 10.0, 20.0]), np.asarray([0.4, 0.3, 0.5])
    figure = cost_figure(["a", "b", "c"], seconds, np.zeros(3), scores, "c", "loss", sign=-1)
    (line, *_) = figure.axes[0].get_lines()
    assert np.asarray(line.get_xdata()).tolist() == [5.0, 10.0]
    assert [text.get_text() for text in figure.axes[0].texts][:2] == ["c", "b"]


def test_few_arms_are_all_labelled_and_many_are_not() -> None:
    few = [f"arm {place}" for place in range(12)]
    scores = np.linspace(0.9, 0.5, 12)
    figure = cost_figure(few, np.arange(1.0, 13), np.zeros(12), scores, "arm 3", "F1")
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert texts[:2] == ["arm 3", "arm 0"]
    assert sorted(texts) == sorted(few)
    many = [f"arm {place}" for place in range(13)]
    scores = np.linspace(0.9, 0.5, 13)
    figure = cost_figure(many, np.arange(1.0, 14), np.zeros(13), scores, "arm 3", "F1")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["arm 3", "arm 0"]


def test_no_two_names_are_printed_over_each_other() -> None:
    names = [f"learning rate + batch size {place}" for place in range(64)]
    scores = np.linspace(0.8, 0.81, 64)
    # Each of them is on the front.
    seconds = np.asarray([80.0 * 1.021**place for place in range(64)])
    figure = cost_figure(names, seconds, np.zeros(64), scores, names[30], "F1")
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert 2 < len(texts) < 64
    assert texts[0].endswith("30")
    assert texts[1].endswith("63")
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:place])


def test_a_name_stands_within_the_axes_and_off_the_other_points() -> None:
    names = ["a name of 25 characters xx", "another of 25 characters x", "b"]
    scores = np.asarray([0.5, 0.6, 0.55])
    figure = cost_figure(names, np.asarray([9.9, 10.0, 10.0]), np.zeros(3), scores, "b", "F1")
    (axes,) = figure.axes
    figure.draw_without_rendering()
    area = axes.get_window_extent()
    points = axes.transData.transform([(9.9, 0.5), (10.0, 0.6), (10.0, 0.55)])
    assert {text.get_text() for text in axes.texts} == set(names)
    for text in axes.texts:
        box = text.get_window_extent()
        assert area.x0 <= box.x0 < box.x1 <= area.x1
        assert box.count_contains(points) == 0


def test_a_name_that_fits_nowhere_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "LONGEST_LABEL", 500)
    names = ["x" * 400, "b"]
    figure = cost_figure(
        names, np.asarray([1.0, 2.0]), np.zeros(2), np.asarray([0.5, 0.6]), "b", "F1"
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["b"]


@pytest.mark.parametrize("last", [3.0, 3000.0])
def test_no_name_runs_left_of_its_point(last: float) -> None:
    names = [f"a name of 25 characters {place}" for place in range(4)]
    seconds = np.asarray([1.0, 2.0, last, 0.999 * last])
    scores = np.asarray([0.5, 0.6, 0.7, 0.55])
    figure = cost_figure(names, seconds, np.zeros(4), scores, names[0], "F1")
    (axes,) = figure.axes
    figure.draw_without_rendering()
    area = axes.get_window_extent()
    held = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert set(held) == set(names)
    for name, at in zip(names, np.column_stack([seconds, scores]), strict=True):
        assert held[name].x0 >= axes.transData.transform(at)[0] - 1e-6
        assert held[name].x1 <= area.x1


@pytest.mark.parametrize(("times", "least"), [([84.5, 84.6], 8.46), ([84.0, 84.0], 8.4)])
def test_times_that_hardly_differ_do_not_fill_the_axis(times: list[float], least: float) -> None:
    scores = np.asarray([0.5, 0.6])
    figure = cost_figure(["a", "b"], np.asarray(times), np.zeros(2), scores, "a", "F1")
    low, high = figure.axes[0].get_xlim()
    assert least - 1e-9 <= high - low <= 1.5 * least
    assert low < times[0] <= times[1] < high


def test_times_that_do_differ_fill_the_axis() -> None:
    scores = np.asarray([0.5, 0.6])
    figure = cost_figure(["a", "b"], np.asarray([80.0, 100.0]), np.zeros(2), scores, "a", "F1")
    low, high = figure.axes[0].get_xlim()
    # A name finds room beyond the points.
    assert low == pytest.approx(80 - 0.12 * 20)
    assert 0.12 * 20 <= high - 100 < 0.4 * 20


def test_times_far_apart_have_a_logarithmic_axis() -> None:
    scores = np.asarray([0.5, 0.6])
    none = np.zeros(2)
    near = cost_figure(["a", "b"], np.asarray([10.0, 20.0]), none, scores, "a", "F1")
    far = cost_figure(["a", "b"], np.asarray([1.0, 2000.0]), none, scores, "a", "F1")
    assert near.axes[0].get_xscale() == "linear"
    assert far.axes[0].get_xscale() == "log"
