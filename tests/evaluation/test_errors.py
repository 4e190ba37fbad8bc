from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from mmclf.evaluation.errors import ConfusedPair, confused_pairs, costly_labels, odd_labels

Labels = NDArray[np.uint8]


def sets(*rows: str) -> Labels:
    """Label sets, a text of 0 and 1 a sample."""
    return np.array([[int(one) for one in row] for row in rows], dtype=np.uint8)


def test_a_label_costs_the_f1_that_the_samples_would_gain() -> None:
    labels, predicted = sets("110", "011"), sets("100", "111")
    probabilities = np.full((2, 3), 0.5)
    # F1 is 2/3 and 4/5; with label 1 right 1 and 4/5, with label 0 right 2/3 and 1.
    costly = costly_labels(labels, predicted, probabilities, 3)
    assert [one.label for one in costly] == [1, 0]
    assert [one.cost for one in costly] == pytest.approx([(1 - 2 / 3) / 2, (1 - 4 / 5) / 2])
    assert [one.label for one in costly_labels(labels, predicted, probabilities, 1)] == [1]


def test_the_most_confident_errors_come_first() -> None:
    labels = sets("0", "0", "0", "1", "1")
    predicted = sets("1", "0", "1", "0", "0")
    probabilities = np.array([[0.6], [0.1], [0.9], [0.4], [0.2]])
    (only,) = costly_labels(labels, predicted, probabilities, 5)
    assert only.false_positives.tolist() == [2, 0]
    assert only.false_negatives.tolist() == [4, 3]


@settings(max_examples=50)
@given(arrays(np.uint8, (5, 3), elements=st.integers(0, 1)), st.integers(0, 2), st.data())
def test_the_cost_is_that_of_scikit_learn(labels: Labels, label: int, data: st.DataObject) -> None:
    predicted = data.draw(arrays(np.uint8, (5, 3), elements=st.integers(0, 1)))
    right = predicted.copy()
    right[:, label] = labels[:, label]
    scores = [
        f1_score(labels, of, average="samples", zero_division=1.0) for of in (predicted, right)
    ]
    costly = costly_labels(labels, predicted, np.zeros((5, 3)), 3)
    actual = {one.label: one.cost for one in costly}
    # One label put right never lowers a sample's F1, so that none has a negative cost.
    assert actual.get(label, 0.0) == pytest.approx(scores[1] - scores[0])


def test_without_an_error_nothing_costs() -> None:
    labels = sets("10", "01")
    assert costly_labels(labels, labels, np.zeros((2, 2)), 2) == []


def test_a_pair_is_confused_where_one_is_missed_and_the_other_predicted() -> None:
    labels = sets("100", "100", "100", "001")
    predicted = sets("010", "010", "000", "110")
    assert confused_pairs(labels, predicted, 5) == [ConfusedPair(0, 1, 2, 3)]
    assert confused_pairs(labels, predicted, 5, least=3) == []
    assert confused_pairs(labels, predicted, 1, least=1) == [ConfusedPair(0, 1, 2, 3)]


def test_a_label_is_odd_where_every_seed_is_as_sure_as_of_the_others() -> None:
    labels = sets("1", "1", "0", "0", "0")
    # Of those with the label the mean is 0.475, of those without 0.4 (and 0.6 of its absence).
    one = np.array([[0.9], [0.05], [0.9], [0.2], [0.1]])
    actual = odd_labels(labels, np.stack([one, one]), 5)
    assert [(of.row, of.label, of.given) for of in actual] == [(1, 0, 1), (2, 0, 0)]
    assert [of.probability for of in actual] == pytest.approx([0.05, 0.9])
    doubtful = one.copy()
    doubtful[2] = 0.45
    assert [of.row for of in odd_labels(labels, np.stack([one, doubtful]), 5)] == [1]
    assert len(odd_labels(labels, np.stack([one, one]), 1)) == 1


def test_a_label_that_all_samples_have_or_none_is_never_odd() -> None:
    labels = sets("10", "10")
    assert odd_labels(labels, np.array([[[0.1, 0.9], [0.1, 0.9]]]), 5) == []
