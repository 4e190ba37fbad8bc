from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from mmclf.thresholds import Empty, Fixed, best_for_samples_f1, decide

Floats = NDArray[np.float64]
Labels = NDArray[np.uint8]
JUST_BELOW = float(np.nextafter(0.5, 0))


def matrix(rows: list[list[int]]) -> Labels:
    return np.array(rows, dtype=np.uint8)


def test_a_probability_at_the_threshold_passes() -> None:
    probabilities = np.array([[0.5, JUST_BELOW, 0.4], [0.2, 0.9, 0.41]])
    thresholds = np.array([0.5, 0.5, 0.4])
    assert decide(probabilities, thresholds, "empty").tolist() == [[1, 0, 1], [0, 1, 1]]


@pytest.mark.parametrize(
    ("empty", "expected"),
    [("empty", [[0, 0, 0], [1, 0, 0], [0, 0, 0]]), ("argmax", [[0, 1, 0], [1, 0, 0], [1, 0, 0]])],
)
def test_a_set_without_labels(empty: Empty, expected: list[list[int]]) -> None:
    # Of equals the first is the likeliest.
    probabilities = np.array([[0.1, 0.3, 0.2], [0.6, 0.1, 0.2], [0.3, 0.3, 0.1]])
    decided = decide(probabilities, np.full(3, 0.5), empty)
    assert decided.tolist() == expected
    assert decided.dtype == np.uint8


@pytest.mark.parametrize("value", [0.0, 0.45, 1.0])
def test_a_fixed_threshold(value: float) -> None:
    fixed = Fixed(value, "empty")
    labels = matrix([[1, 0, 1], [0, 1, 0]])
    assert fixed.fit(np.zeros((2, 3)), labels).tolist() == [value] * 3
    assert fixed.empty == "empty"


def test_a_fixed_threshold_is_one_half_with_argmax() -> None:
    assert (Fixed().value, Fixed().empty) == (0.5, "argmax")


def test_a_fixed_threshold_wants_like_shapes() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) and labels \(2, 2\) differ"):
        Fixed().fit(np.zeros((2, 3)), np.zeros((2, 2), dtype=np.uint8))


@pytest.mark.parametrize(
    ("probabilities", "labels", "empty", "expected"),
    [
        # Only 0.4 and above: between 0.4 and 0.2.
        ([[0.9, 0.4], [0.2, 0.8]], [[1, 1], [0, 1]], "argmax", 0.3),
        # The second label stands nowhere: above 0.6 (argmax keeps the first), nearest to one half.
        ([[0.9, 0.6]], [[1, 0]], "argmax", 0.8),
        ([[0.9, 0.6]], [[1, 0]], "empty", 0.75),
        ([[0.9, 0.6]], [[1, 1]], "argmax", 0.3),
        # Whatever the threshold, the score is the same: the midpoint nearest to one half.
        ([[0.7]], [[1]], "argmax", 0.5),
        ([[0.7]], [[1]], "empty", 0.35),
        ([[0.7]], [[0]], "empty", 0.35),
        ([[1.0, 0.0]], [[1, 0]], "empty", 0.5),
        ([[0.3, 0.3]], [[1, 0]], "argmax", 0.65),
    ],
)
def test_the_best_threshold_by_hand(
    probabilities: list[list[float]], labels: list[list[int]], empty: Empty, expected: float
) -> None:
    found = best_for_samples_f1(np.array(probabilities), matrix(labels), empty)
    assert found == pytest.approx(expected, abs=1e-12)


def score(probabilities: Floats, labels: Labels, threshold: float, empty: Empty) -> float:
    decided = decide(probabilities, np.full(labels.shape[1], threshold), empty)
    both = 2 * (decided & labels).sum(axis=1, dtype=int)
    either = decided.sum(axis=1, dtype=int) + labels.sum(axis=1, dtype=int)
    return float(np.divide(both, either, out=np.zeros(len(labels)), where=either > 0).mean())


def brute_force(probabilities: Floats, labels: Labels, empty: Empty) -> tuple[float, set[float]]:
    """The best samples-F1 over every midpoint, and the midpoints that reach it."""
    values = sorted({0.0, 1.0, *probabilities.ravel().tolist()})
    between = [(low + high) / 2 for low, high in pairwise(values)]
    scores = {value: score(probabilities, labels, value, empty) for value in between}
    best = max(scores.values())
    return best, {value for value, one in scores.items() if one >= best - 1e-9}


@st.composite
def predictions(draw: st.DrawFn) -> tuple[Floats, Labels]:
    samples, width = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    # Few values, so that many are tied.
    value = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.6, 0.9, 1.0]) | st.floats(0, 1, width=16)
    size = samples * width
    probabilities = draw(st.lists(value, min_size=size, max_size=size))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    shape = samples, width
    return np.array(probabilities).reshape(shape), np.array(labels, dtype=np.uint8).reshape(shape)


@settings(max_examples=300, deadline=None)
@given(predictions(), st.sampled_from(["argmax", "empty"]))
def test_the_search_is_exact(drawn: tuple[Floats, Labels], empty: Empty) -> None:
    probabilities, labels = drawn
    found = best_for_samples_f1(probabilities, labels, empty)
    best, between = brute_force(probabilities, labels, empty)
    assert score(probabilities, labels, found, empty) == pytest.approx(best, abs=1e-9)
    # Where argmax decides, values of the likeliest labels part nothing and may be passed over.
    nearest = min(abs(value - 0.5) for value in between)
    if empty == "empty":
        assert abs(found - 0.5) == pytest.approx(nearest, abs=1e-9)


def test_the_search_against_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    labels = (generator.random((200, 6)) < 0.3).astype(np.uint8)
    probabilities = np.clip(0.4 * labels + 0.6 * generator.random((200, 6)), 0, 1)
    found = best_for_samples_f1(probabilities, labels, "argmax")

    def sklearn_score(threshold: float) -> float:
        decided = decide(probabilities, np.full(6, threshold), "argmax")
        return float(f1_score(labels, decided, average="samples", zero_division=0))

    assert sklearn_score(found) >= max(map(sklearn_score, np.linspace(0, 1, 501))) - 1e-12


def test_neighbouring_doubles_are_told_apart() -> None:
    # Their mean is rounded to the lower one, which would pass both.
    high, low = 1 - 2.0**-53, 1 - 2.0**-52
    found = best_for_samples_f1(np.array([[high, low]]), matrix([[1, 0]]), "empty")
    assert low < found <= high
