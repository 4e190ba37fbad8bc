"""What holds for the searches for one threshold and for one per label, and for their measure."""

from __future__ import annotations

import random

import numpy as np
import pytest
from exhaustive_search import AVERAGES, EVERY, Drawn, matrix, noisy, predictions, scored
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from mmclf.evaluation.threshold_search import Average, Empty, best_global, best_per_label
from mmclf.evaluation.thresholds import decide


@pytest.mark.parametrize("average", AVERAGES)
def test_the_judge_is_scikit_learn(average: Average) -> None:
    probabilities, labels = noisy(20, 3)
    decided = np.stack([decide(probabilities, np.full(3, at), "empty") for at in (0.1, 0.3, 1.0)])
    assert not decided[-1].any()
    assert not labels.any(axis=1).all()
    nothing = 1 if average == "samples" else 0
    expected = [f1_score(labels, one, average=average, zero_division=nothing) for one in decided]
    assert scored(decided, labels, average).tolist() == pytest.approx(expected)


@pytest.mark.parametrize("average", AVERAGES)
def test_neighbouring_doubles_are_different_thresholds(average: Average) -> None:
    # Their mean is rounded to the lower one, which would pass both.
    high, low = 1 - 2.0**-53, 1 - 2.0**-52
    threshold = best_global(np.array([[high, low]]), matrix([[1, 0]]), "empty", average)
    # The second label has no negative sample: macro-F1 is the same below.
    assert average == "macro" or low < threshold <= high
    alone = best_per_label(np.array([[high], [low]]), matrix([[1], [0]]), "empty", average)
    assert average == "samples" or low < alone[0] <= high


@settings(max_examples=100)
@given(predictions(), st.sampled_from(EVERY), st.randoms(use_true_random=False))
def test_the_order_of_the_samples_does_not_matter(
    drawn: Drawn, which: tuple[Average, Empty], random: random.Random
) -> None:
    (probabilities, labels), (average, empty) = drawn, which
    order = random.sample(range(len(labels)), len(labels))
    for search in (best_global, best_per_label):
        actual = search(probabilities, labels, empty, average)
        again = search(probabilities[order], labels[order], empty, average)
        assert np.array_equal(actual, again)
