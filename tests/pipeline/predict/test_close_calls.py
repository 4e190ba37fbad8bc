"""Samples that are close to a threshold, and those whose order of labels is close."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmclf.evaluation.threshold_search import Empty
from mmclf.evaluation.thresholds import decide
from mmclf.pipeline.predict.close_calls import MARGIN, close_calls

# A logit's rounding, far above that of fp32 and far below the margins.
SHIFT = 1e-5


@pytest.mark.parametrize(
    ("probability", "threshold", "close"),
    [
        (0.5, 0.5, True),
        (0.5 + 0.99 * MARGIN, 0.5, True),
        (0.5 - 0.99 * MARGIN, 0.5, True),
        (0.5 + 1.01 * MARGIN, 0.5, False),
        (0.5 - 1.01 * MARGIN, 0.5, False),
        (1.009e-5, 1e-5, True),  # a rare label's threshold: a hundredth of it
        (1.02e-5, 1e-5, False),
        (1e-5, 0.0, False),  # which every probability reaches
        (1 - 1e-5, 1.0, False),
    ],
)
def test_both_sides_of_the_margin(probability: float, threshold: float, close: bool) -> None:
    actual = close_calls(np.array([[0.9, probability]]), np.array([0.3, threshold]), "empty")
    assert actual.tolist() == [0] * close


@pytest.mark.parametrize(
    ("row", "empty", "top", "close"),
    [
        ([0.3, 0.3 + MARGIN, 0.1], "argmax", 0, True),
        ([0.3, 0.3 + 3 * MARGIN, 0.1], "argmax", 0, False),
        ([0.4, 0.1, 0.1], "argmax", 0, False),
        ([0.3, 0.3, 0.1], "empty", 0, False),
        ([0.6, 0.3, 0.3], "argmax", 0, False),  # a label reaches its threshold
        ([0.6, 0.3, 0.3], "argmax", 1, False),
        ([0.6, 0.3, 0.3], "argmax", 2, True),  # the third might be the second
        ([0.6, 0.3, 0.3], "empty", 3, True),
        ([0.6, 0.3, 0.2], "empty", 9, False),
    ],
)
def test_ties_count_where_they_decide(
    row: list[float], empty: Empty, top: int, close: bool
) -> None:
    actual = close_calls(np.array([row]), np.full(3, 0.5), empty, top=top)
    assert actual.tolist() == [0] * close


def test_one_label_has_no_other_to_tie_with() -> None:
    assert close_calls(np.array([[0.2]]), np.array([0.5]), "argmax", top=1).tolist() == []


probabilities = arrays(np.float64, (4, 3), elements=st.floats(-12, 12)).map(
    lambda logits: 1 / (1 + np.exp(-logits))
)


@given(
    before=probabilities,
    signs=arrays(np.float64, (4, 3), elements=st.sampled_from([-1.0, 0.0, 1.0])),
    thresholds=arrays(np.float64, 3, elements=st.floats(0, 1)),
    empty=st.sampled_from(["argmax", "empty"]),
)
def test_what_is_not_close_keeps_its_labels_when_last_bits_change(
    before: np.ndarray, signs: np.ndarray, thresholds: np.ndarray, empty: Empty
) -> None:
    after = before + SHIFT * signs * before * (1 - before)
    close = close_calls(before, thresholds, empty)
    sure = np.setdiff1d(np.arange(4), close)
    expected, actual = (decide(rows, thresholds, empty) for rows in (before, after))
    assert np.array_equal(actual[sure], expected[sure])
    ordered = np.setdiff1d(np.arange(4), close_calls(before, thresholds, empty, top=3))
    assert np.array_equal(np.argsort(-before)[ordered], np.argsort(-after)[ordered])
