"""The search for the one threshold that is best for all labels."""

from __future__ import annotations

import numpy as np
import pytest
from exhaustive_search import (
    EVERY,
    Drawn,
    Floats,
    brute_force,
    every_cut,
    every_search,
    matrix,
    midpoints,
    noisy,
    predictions,
    score,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from mmclf.evaluation.threshold_search import Average, Empty, best_global


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
        # Without a true label nothing is the right prediction: above 0.7.
        ([[0.7]], [[0]], "samples", "empty", 0.85),
        ([[0.7]], [[0]], "micro", "empty", 0.35),
        ([[1.0, 0.0]], [[1, 0]], "samples", "empty", 0.5),
        ([[0.3, 0.3]], [[1, 0]], "samples", "argmax", 0.65),
        # Only 0 lets a 0 pass; none stops a 1.
        ([[0.0]], [[1]], "samples", "empty", 0.0),
        ([[0.0, 1.0]], [[1, 1]], "micro", "argmax", 0.0),
        ([[1.0, 1.0]], [[0, 0]], "macro", "empty", 0.5),
        # All equal: all pass or none.
        ([[0.2, 0.2], [0.2, 0.2]], [[1, 0], [0, 0]], "macro", "empty", 0.1),
        # All that pass are 0.8 (true), then 0.7, 0.6 and 0.3. 0.7 takes from the F1 of its sample,
        # which is right without labels, and from that of all; of the labels' F1s only 0.3 does.
        ([[0.3, 0.7], [0.8, 0.6]], [[0, 0], [1, 0]], "samples", "empty", 0.75),
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
    actual = best_global(np.array(probabilities), matrix(labels), empty, average)
    assert actual == pytest.approx(expected, abs=1e-12)


@settings(max_examples=150)
@given(predictions(), st.sampled_from(EVERY))
def test_the_global_search_is_exact(drawn: Drawn, which: tuple[Average, Empty]) -> None:
    (probabilities, labels), (average, empty) = drawn, which
    threshold = best_global(probabilities, labels, empty, average)
    width = labels.shape[1]

    def scores(values: list[float]) -> Floats:
        choices = [np.full(width, value) for value in values]
        return brute_force(probabilities, labels, choices, empty, average)

    best = scores(every_cut(probabilities)).max()
    assert scores([threshold])[0] == pytest.approx(best, abs=1e-9)
    # Where argmax decides, values of the likeliest labels part nothing and may be passed over.
    if empty == "empty":
        between = midpoints(probabilities)
        equal = np.array(between)[scores(between) > best - 1e-9]
        assert abs(threshold - 0.5) == pytest.approx(np.abs(equal - 0.5).min(), abs=1e-9)


@every_search
def test_the_global_search_among_many(average: Average, empty: Empty) -> None:
    probabilities, labels = noisy(60, 4)
    actual = np.full(4, best_global(probabilities, labels, empty, average))
    choices = [np.full(4, value) for value in every_cut(probabilities)]
    best = brute_force(probabilities, labels, choices, empty, average).max()
    assert score(probabilities, labels, actual, empty, average) == pytest.approx(best, abs=1e-12)
