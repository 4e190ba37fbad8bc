from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_recall_curve

from mmclf.evaluation.threshold_search import Average, Empty, best_global, best_per_label
from mmclf.evaluation.thresholds import decide

Floats = NDArray[np.float64]
Labels = NDArray[np.uint8]
Drawn = tuple[Floats, Labels]

AVERAGES: list[Average] = ["macro", "micro", "samples"]
POLICIES: list[Empty] = ["argmax", "empty"]
EVERY = [(average, empty) for average in AVERAGES for empty in POLICIES]
every_search = pytest.mark.parametrize(("average", "empty"), EVERY)


def matrix(rows: list[list[int]]) -> Labels:
    return np.array(rows, dtype=np.uint8)


def judged(decided: Labels, labels: Labels, average: Average) -> Floats:
    """scikit-learn's F1 (C,) of many decisions (C, N, L), at a single call, which is slow."""
    both = np.broadcast_to(labels, decided.shape), decided
    many, samples, width = decided.shape
    # The groups that have an F1 each become labels of scikit-learn's.
    if average == "macro":
        columns = [m.transpose(1, 0, 2).reshape(samples, -1) for m in both]
    elif average == "samples":
        columns = [m.reshape(-1, width).T for m in both]
    else:
        columns = [m.reshape(many, -1).T for m in both]
    # It takes a single column for the classes 0 and 1.
    true, found = (np.pad(m, ((0, 0), (0, 1))) for m in columns)
    scores = np.asarray(f1_score(true, found, average=None, zero_division=0))[:-1]
    means: Floats = scores.reshape(many, -1).mean(axis=1)
    return means


def score(
    probabilities: Floats, labels: Labels, thresholds: Floats, empty: Empty, average: Average
) -> float:
    decided = decide(probabilities, thresholds, empty)
    return float(judged(decided[None], labels, average)[0])


def brute_force(
    probabilities: Floats,
    labels: Labels,
    choices: Iterable[Floats],
    empty: Empty,
    average: Average,
) -> Floats:
    """The scores of every choice of thresholds (L,)."""
    decided = np.stack([decide(probabilities, thresholds, empty) for thresholds in choices])
    return judged(decided, labels, average)


def every_cut(values: Floats) -> list[float]:
    """Thresholds up to 1 that part the values in every way: each value passes itself."""
    return sorted({1.0, *values.ravel().tolist()})


def midpoints(values: Floats) -> list[float]:
    """The thresholds that a search may return."""
    known = sorted({0.0, 1.0, *values.ravel().tolist()})
    lowest = [0.0] if 0 in values else []
    return lowest + [(low + high) / 2 for low, high in pairwise(known)]


def each_label(probabilities: Floats, free: Iterable[int], rest: Floats) -> list[Floats]:
    """Every choice of thresholds for the labels `free`, and those of `rest` for the others."""
    cuts = [
        every_cut(column) if label in set(free) else [kept]
        for label, (column, kept) in enumerate(zip(probabilities.T, rest, strict=True))
    ]
    return [np.array(choice) for choice in product(*cuts)]


@st.composite
def predictions(draw: st.DrawFn) -> Drawn:
    samples, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    # Few values, so that many are tied.
    value = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.6, 0.9, 1.0]) | st.floats(0, 1, width=16)
    size = samples * width
    probabilities = draw(st.lists(value, min_size=size, max_size=size))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    shape = samples, width
    return np.array(probabilities).reshape(shape), np.array(labels, dtype=np.uint8).reshape(shape)


def noisy(samples: int, width: int, decimals: int = 9) -> Drawn:
    generator = np.random.default_rng(samples)
    labels = (generator.random((samples, width)) < 0.3).astype(np.uint8)
    # Each label has a scale of its own, and so another best threshold.
    chances = (0.4 * labels + 0.6 * generator.random(labels.shape)) * np.linspace(0.3, 1, width)
    return chances.round(decimals), labels


@pytest.mark.parametrize("average", AVERAGES)
def test_the_judge_is_scikit_learn(average: Average) -> None:
    probabilities, labels = noisy(20, 3)
    decided = np.stack([decide(probabilities, np.full(3, at), "empty") for at in (0.1, 0.3, 1.0)])
    assert not decided[-1].any()
    expected = [f1_score(labels, one, average=average, zero_division=0) for one in decided]
    assert judged(decided, labels, average).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("probabilities", "labels", "average", "empty", "expected"),
    [
        # Only 0.4 and above: between 0.4 and 0.2.
        ([[0.9, 0.4], [0.2, 0.8]], [[1, 1], [0, 1]], "samples", "argmax", 0.3),
        # The second label stands nowhere: above 0.6 (argmax keeps the first), nearest to one half.
        ([[0.9, 0.6]], [[1, 0]], "samples", "argmax", 0.8),
        ([[0.9, 0.6]], [[1, 0]], "samples", "empty", 0.75),
        ([[0.9, 0.6]], [[1, 1]], "samples", "argmax", 0.3),
        # Whatever the threshold, the score is the same: the midpoint nearest to one half.
        ([[0.7]], [[1]], "samples", "argmax", 0.5),
        ([[0.7]], [[1]], "samples", "empty", 0.35),
        ([[0.7]], [[0]], "samples", "empty", 0.35),
        ([[1.0, 0.0]], [[1, 0]], "samples", "empty", 0.5),
        ([[0.3, 0.3]], [[1, 0]], "samples", "argmax", 0.65),
        # Only 0 lets a 0 pass; none stops a 1.
        ([[0.0]], [[1]], "samples", "empty", 0.0),
        ([[0.0, 1.0]], [[1, 1]], "micro", "argmax", 0.0),
        ([[1.0, 1.0]], [[0, 0]], "macro", "empty", 0.5),
        # All equal: all pass or none.
        ([[0.2, 0.2], [0.2, 0.2]], [[1, 0], [0, 0]], "macro", "empty", 0.1),
        # All that pass are 0.8 (true), then 0.7, 0.6 and 0.3. Of the 2 samples' F1s, 0.7 takes
        # nothing, having no true label; of all together it does; of the labels' only 0.3 does.
        ([[0.3, 0.7], [0.8, 0.6]], [[0, 0], [1, 0]], "samples", "empty", 0.65),
        ([[0.3, 0.7], [0.8, 0.6]], [[0, 0], [1, 0]], "micro", "empty", 0.75),
        ([[0.3, 0.7], [0.8, 0.6]], [[0, 0], [1, 0]], "macro", "empty", 0.45),
        # 0.7 and 0.8 are always predicted: the first to pass is 0.6.
        ([[0.3, 0.7], [0.8, 0.6]], [[0, 0], [1, 0]], "samples", "argmax", 0.8),
        ([[0.3, 0.7], [0.8, 0.6]], [[0, 0], [1, 0]], "micro", "argmax", 0.8),
        ([[0.3, 0.7], [0.8, 0.6]], [[0, 0], [1, 0]], "macro", "argmax", 0.45),
    ],
)
def test_the_best_global_threshold_by_hand(
    probabilities: list[list[float]],
    labels: list[list[int]],
    average: Average,
    empty: Empty,
    expected: float,
) -> None:
    found = best_global(np.array(probabilities), matrix(labels), empty, average)
    assert found == pytest.approx(expected, abs=1e-12)


@settings(max_examples=150, deadline=None)
@given(predictions(), st.sampled_from(EVERY))
def test_the_global_search_is_exact(drawn: Drawn, which: tuple[Average, Empty]) -> None:
    (probabilities, labels), (average, empty) = drawn, which
    found = best_global(probabilities, labels, empty, average)
    width = labels.shape[1]

    def scores(values: list[float]) -> Floats:
        choices = [np.full(width, value) for value in values]
        return brute_force(probabilities, labels, choices, empty, average)

    best = scores(every_cut(probabilities)).max()
    assert scores([found])[0] == pytest.approx(best, abs=1e-9)
    # Where argmax decides, values of the likeliest labels part nothing and may be passed over.
    if empty == "empty":
        between = midpoints(probabilities)
        equal = np.array(between)[scores(between) > best - 1e-9]
        assert abs(found - 0.5) == pytest.approx(np.abs(equal - 0.5).min(), abs=1e-9)


@every_search
def test_the_global_search_among_many(average: Average, empty: Empty) -> None:
    probabilities, labels = noisy(60, 4)
    found = np.full(4, best_global(probabilities, labels, empty, average))
    choices = [np.full(4, value) for value in every_cut(probabilities)]
    best = brute_force(probabilities, labels, choices, empty, average).max()
    assert score(probabilities, labels, found, empty, average) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("average", AVERAGES)
def test_neighbouring_doubles_are_told_apart(average: Average) -> None:
    # Their mean is rounded to the lower one, which would pass both.
    high, low = 1 - 2.0**-53, 1 - 2.0**-52
    found = best_global(np.array([[high, low]]), matrix([[1, 0]]), "empty", average)
    # The second label has no negative sample: macro-F1 is the same below.
    assert average == "macro" or low < found <= high
    alone = best_per_label(np.array([[high], [low]]), matrix([[1], [0]]), "empty", average)
    assert average == "samples" or low < alone[0] <= high


@settings(max_examples=150, deadline=None)
@given(predictions(), st.sampled_from(["macro", "micro"]))
def test_the_search_per_label_is_exact(drawn: Drawn, average: Average) -> None:
    probabilities, labels = drawn
    found = best_per_label(probabilities, labels, "empty", average)
    choices = each_label(probabilities, np.flatnonzero(labels.any(axis=0)), found)
    best = brute_force(probabilities, labels, choices, "empty", average).max()
    assert score(probabilities, labels, found, "empty", average) == pytest.approx(best, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(predictions(), st.sampled_from(["macro", "micro"]))
def test_of_equal_thresholds_the_one_nearest_to_one_half(drawn: Drawn, average: Average) -> None:
    probabilities, labels = drawn
    found = best_per_label(probabilities, labels, "empty", average)
    for label in np.flatnonzero(labels.any(axis=0)):
        between = midpoints(probabilities[:, label])
        choices = [np.where(np.arange(len(found)) == label, value, found) for value in between]
        scores = brute_force(probabilities, labels, choices, "empty", average)
        equal = np.array(between)[scores > scores.max() - 1e-9]
        assert found[label] in between
        assert abs(found[label] - 0.5) == pytest.approx(np.abs(equal - 0.5).min(), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(predictions(), st.sampled_from(EVERY))
def test_no_label_alone_could_gain(drawn: Drawn, which: tuple[Average, Empty]) -> None:
    (probabilities, labels), (average, empty) = drawn, which
    common = np.full(labels.shape[1], best_global(probabilities, labels, empty, average))
    found = best_per_label(probabilities, labels, empty, average)
    choices = [found, common]
    if average != "samples" and labels.any(axis=0).all():
        # Nor would the thresholds gain that count no label as standing in.
        choices.append(best_per_label(probabilities, labels, "empty", average))
    for label in np.flatnonzero(labels.any(axis=0)).tolist():
        choices += each_label(probabilities, [label], found)
    scores = brute_force(probabilities, labels, choices, empty, average)
    assert scores.max() <= scores[0] + 1e-9


@settings(max_examples=100, deadline=None)
@given(predictions(), st.sampled_from(EVERY))
def test_a_label_without_positives_keeps_the_global_threshold(
    drawn: Drawn, which: tuple[Average, Empty]
) -> None:
    (probabilities, labels), (average, empty) = drawn, which
    labels[:, 0] = 0
    found = best_per_label(probabilities, labels, empty, average)
    assert found[0] == best_global(probabilities, labels, empty, average)
    assert ((found >= 0) & (found <= 1)).all()


@every_search
@pytest.mark.parametrize("decimals", [1, 9])
def test_thresholds_per_label_gain(average: Average, empty: Empty, decimals: int) -> None:
    probabilities, labels = noisy(150, 5, decimals)
    common = np.full(5, best_global(probabilities, labels, empty, average))
    found = best_per_label(probabilities, labels, empty, average)
    before = score(probabilities, labels, common, empty, average)
    reached = score(probabilities, labels, found, empty, average)
    assert reached > before + 0.01
    for label in range(5):
        choices = each_label(probabilities, [label], found)
        assert brute_force(probabilities, labels, choices, empty, average).max() <= reached + 1e-9


@pytest.mark.parametrize("decimals", [1, 9])
def test_macro_is_the_top_of_each_precision_recall_curve(decimals: int) -> None:
    probabilities, labels = noisy(300, 4, decimals)
    found = best_per_label(probabilities, labels, "empty", "macro")
    decided = decide(probabilities, found, "empty")
    for label in range(4):
        precision, recall, _ = precision_recall_curve(labels[:, label], probabilities[:, label])
        best = (2 * precision * recall / (precision + recall)).max()
        assert f1_score(labels[:, label], decided[:, label]) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("absent", [0, 6])
def test_micro_is_the_best_of_all_pairs(absent: int) -> None:
    probabilities, labels = noisy(40, 2 + absent)
    # The predictions of labels without positives make all F1s lower, and so other pairs the best.
    labels[:, 2:], probabilities[:, 2:] = 0, 0.9
    found = best_per_label(probabilities, labels, "empty", "micro")
    choices = each_label(probabilities, [0, 1], found)
    assert len(choices) > 1000
    best = brute_force(probabilities, labels, choices, "empty", "micro").max()
    assert score(probabilities, labels, found, "empty", "micro") == pytest.approx(best, abs=1e-12)


# The first label parts its samples; the second's only positive is its least likely.
EASY_AND_HARD = [[0.9, 0.6], [0.8, 0.5], [0.7, 0.4], [0.1, 0.3]]
THEIRS = [[1, 0], [1, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("probabilities", "labels", "average", "empty", "expected"),
    [
        # To pass all samples brings the second label 2/5, but takes micro-F1 from 6/7 to 8/11.
        (EASY_AND_HARD, THEIRS, "macro", "empty", [0.4, 0.15]),
        (EASY_AND_HARD, THEIRS, "micro", "empty", [0.4, 0.8]),
        # That gives the last sample what it takes from the others: neither moves from 0.65.
        (EASY_AND_HARD, THEIRS, "samples", "empty", [0.65, 0.65]),
        # The likeliest labels are the true ones: nothing else may pass.
        (EASY_AND_HARD, THEIRS, "macro", "argmax", [0.8, 0.8]),
        (EASY_AND_HARD, THEIRS, "micro", "argmax", [0.8, 0.8]),
        (EASY_AND_HARD, THEIRS, "samples", "argmax", [0.8, 0.8]),
        # The third label has no positives: it keeps the best global threshold, between 0.4 and 0.2.
        (
            [[0.9, 0.2, 0.1], [0.1, 0.4, 0.6]],
            [[1, 0, 0], [0, 1, 0]],
            "macro",
            "empty",
            [0.5, 0.3, 0.3],
        ),
        ([[0.9, 0.2, 0.1], [0.1, 0.4, 0.6]], [[0, 0, 0], [0, 0, 0]], "micro", "empty", [0.5] * 3),
        # One label.
        ([[0.9], [0.4], [0.2]], [[1], [1], [0]], "macro", "empty", [0.3]),
        ([[0.9], [0.4], [0.2]], [[1], [1], [0]], "micro", "empty", [0.3]),
        ([[0.9], [0.4], [0.2]], [[1], [1], [0]], "samples", "empty", [0.3]),
        # It is always predicted.
        ([[0.9], [0.4], [0.2]], [[1], [1], [0]], "macro", "argmax", [0.5]),
        # One sample.
        ([[0.9, 0.4, 0.2]], [[1, 1, 0]], "samples", "empty", [0.3, 0.3, 0.3]),
        ([[0.9, 0.4, 0.2]], [[1, 1, 0]], "macro", "empty", [0.45, 0.2, 0.3]),
        # All equal: all pass or none.
        ([[0.2, 0.2], [0.2, 0.2]], [[1, 0], [0, 1]], "macro", "empty", [0.1, 0.1]),
        # Only 0 lets a 0 pass; none stops a 1.
        ([[0.0, 1.0], [0.0, 1.0]], [[1, 0], [0, 1]], "macro", "empty", [0.0, 0.5]),
        ([[0.0, 1.0], [1.0, 0.0]], [[0, 1], [1, 0]], "micro", "empty", [0.5, 0.5]),
    ],
)
def test_thresholds_per_label_by_hand(
    probabilities: list[list[float]],
    labels: list[list[int]],
    average: Average,
    empty: Empty,
    expected: list[float],
) -> None:
    found = best_per_label(np.array(probabilities), matrix(labels), empty, average)
    assert found.tolist() == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(predictions(), st.sampled_from(EVERY), st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(
    drawn: Drawn, which: tuple[Average, Empty], random: random.Random
) -> None:
    (probabilities, labels), (average, empty) = drawn, which
    order = random.sample(range(len(labels)), len(labels))
    for search in (best_global, best_per_label):
        found = search(probabilities, labels, empty, average)
        again = search(probabilities[order], labels[order], empty, average)
        assert np.array_equal(found, again)
