"""The search for the best threshold of each label."""

from __future__ import annotations

import numpy as np
import pytest
from exhaustive_search import (
    EVERY,
    Drawn,
    brute_force,
    each_label,
    every_search,
    matrix,
    midpoints,
    noisy,
    predictions,
    score,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_curve

from mmclf.evaluation.threshold_search import Average, Empty, best_global, best_per_label
from mmclf.evaluation.thresholds import decide


@settings(max_examples=150)
@given(predictions(), st.sampled_from(["macro", "micro"]))
def test_the_search_per_label_is_exact(drawn: Drawn, average: Average) -> None:
    probabilities, labels = drawn
    thresholds = best_per_label(probabilities, labels, "empty", average)
    choices = each_label(probabilities, np.flatnonzero(labels.any(axis=0)), thresholds)
    best = brute_force(probabilities, labels, choices, "empty", average).max()
    assert score(probabilities, labels, thresholds, "empty", average) == pytest.approx(
        best, abs=1e-9
    )


@settings(max_examples=100)
@given(predictions(), st.sampled_from(["macro", "micro"]))
def test_of_equal_thresholds_the_one_nearest_to_one_half(drawn: Drawn, average: Average) -> None:
    probabilities, labels = drawn
    thresholds = best_per_label(probabilities, labels, "empty", average)
    for label in np.flatnonzero(labels.any(axis=0)):
        between = midpoints(probabilities[:, label])
        choices = [
            np.where(np.arange(len(thresholds)) == label, value, thresholds) for value in between
        ]
        scores = brute_force(probabilities, labels, choices, "empty", average)
        equal = np.array(between)[scores > scores.max() - 1e-9]
        assert thresholds[label] in between
        assert abs(thresholds[label] - 0.5) == pytest.approx(np.abs(equal - 0.5).min(), abs=1e-9)


@settings(max_examples=150)
@given(predictions(), st.sampled_from(EVERY))
def test_no_label_alone_could_gain(drawn: Drawn, which: tuple[Average, Empty]) -> None:
    (probabilities, labels), (average, empty) = drawn, which
    common = np.full(labels.shape[1], best_global(probabilities, labels, empty, average))
    best = best_per_label(probabilities, labels, empty, average)
    choices = [best, common]
    if average != "samples" and labels.any(axis=0).all():
        # Nor would the thresholds gain that count no label as standing in.
        choices.append(best_per_label(probabilities, labels, "empty", average))
    for label in np.flatnonzero(labels.any(axis=0)).tolist():
        choices += each_label(probabilities, [label], best)
    scores = brute_force(probabilities, labels, choices, empty, average)
    assert scores.max() <= scores[0] + 1e-9


@settings(max_examples=100)
@given(predictions(), st.sampled_from(EVERY))
def test_a_label_without_positives_keeps_the_global_threshold(
    drawn: Drawn, which: tuple[Average, Empty]
) -> None:
    (probabilities, labels), (average, empty) = drawn, which
    labels[:, 0] = 0
    thresholds = best_per_label(probabilities, labels, empty, average)
    assert thresholds[0] == best_global(probabilities, labels, empty, average)
    assert ((thresholds >= 0) & (thresholds <= 1)).all()


@every_search
@pytest.mark.parametrize("decimals", [1, 9])
def test_thresholds_per_label_gain(average: Average, empty: Empty, decimals: int) -> None:
    probabilities, labels = noisy(150, 5, decimals)
    common = np.full(5, best_global(probabilities, labels, empty, average))
    thresholds = best_per_label(probabilities, labels, empty, average)
    before = score(probabilities, labels, common, empty, average)
    reached = score(probabilities, labels, thresholds, empty, average)
    assert reached > before + 0.01
    for label in range(5):
        choices = each_label(probabilities, [label], thresholds)
        assert brute_force(probabilities, labels, choices, empty, average).max() <= reached + 1e-9


@pytest.mark.parametrize("decimals", [1, 9])
def test_macro_is_the_top_of_each_precision_recall_curve(decimals: int) -> None:
    probabilities, labels = noisy(300, 4, decimals)
    thresholds = best_per_label(probabilities, labels, "empty", "macro")
    decided = decide(probabilities, thresholds, "empty")
    for label in range(4):
        precision, recall, _ = precision_recall_curve(labels[:, label], probabilities[:, label])
        best = (2 * precision * recall / (precision + recall)).max()
        assert f1_score(labels[:, label], decided[:, label]) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("absent", [0, 6])
def test_micro_is_the_best_of_all_pairs(absent: int) -> None:
    probabilities, labels = noisy(40, 2 + absent)
    # The predictions of labels without positives make all F1s lower, and so other pairs the best.
    labels[:, 2:], probabilities[:, 2:] = 0, 0.9
    thresholds = best_per_label(probabilities, labels, "empty", "micro")
    choices = each_label(probabilities, [0, 1], thresholds)
    assert len(choices) > 1000
    best = brute_force(probabilities, labels, choices, "empty", "micro").max()
    assert score(probabilities, labels, thresholds, "empty", "micro") == pytest.approx(
        best, abs=1e-12
    )


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
    thresholds = best_per_label(np.array(probabilities), matrix(labels), empty, average)
    assert thresholds.tolist() == pytest.approx(expected, abs=1e-12)
