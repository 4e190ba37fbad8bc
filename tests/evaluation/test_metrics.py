from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from mmclf.evaluation.metrics import f1_per_label, f1_scores, mean_average_precision

# Per label: (tp, fp, fn) = (2, 1, 0), (0, 0, 1), (1, 0, 1), (0, 0, 0).
LABELS = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0]], dtype=np.uint8)
FOUND = np.array([[1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]], dtype=np.uint8)


def test_f1_by_hand() -> None:
    assert f1_per_label(LABELS, FOUND) == pytest.approx([4 / 5, 0, 2 / 3, 0])
    scores = f1_scores(LABELS, FOUND)
    assert scores == pytest.approx(
        {
            "f1_macro": (4 / 5 + 2 / 3) / 4,
            "f1_micro": 2 * 3 / (2 * 3 + 1 + 2),
            # By sample: (2 of 2, 2 of 2), (1, 1 of 2), (0).
            "f1_samples": (1 + 2 / 3 + 0) / 3,
        }
    )


@pytest.mark.parametrize("width", [2, 5, 18])
def test_f1_against_scikit_learn(width: int) -> None:
    generator = np.random.default_rng(width)
    labels = (generator.random((50, width)) < 0.2).astype(np.uint8)
    found = (generator.random((50, width)) < 0.2).astype(np.uint8)
    for average in ("macro", "micro", "samples"):
        expected = f1_score(labels, found, average=average, zero_division=0)
        assert f1_scores(labels, found)[f"f1_{average}"] == pytest.approx(expected, abs=1e-12)
    expected = f1_score(labels, found, average=None, zero_division=0)
    assert f1_per_label(labels, found) == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_nothing_to_divide_by_is_zero() -> None:
    nothing = np.zeros((3, 2), dtype=np.uint8)
    assert f1_scores(nothing, nothing) == {"f1_macro": 0.0, "f1_micro": 0.0, "f1_samples": 0.0}
    assert f1_per_label(nothing, nothing).tolist() == [0.0, 0.0]


@pytest.mark.filterwarnings("error")
def test_a_single_label() -> None:
    labels = np.array([[1], [1], [0], [0]], dtype=np.uint8)
    found = np.array([[1], [0], [1], [0]], dtype=np.uint8)
    assert f1_per_label(labels, found).tolist() == [0.5]
    assert f1_scores(labels, found) == {"f1_macro": 0.5, "f1_micro": 0.5, "f1_samples": 0.25}


def test_average_precision_by_hand() -> None:
    # In descending order the positives of label 0 come first and third: (1 + 2/3) / 2; label 1
    # has its only one last of four: 1/4.
    labels = np.array([[1, 0], [0, 0], [1, 0], [0, 1]], dtype=np.uint8)
    probabilities = np.array([[0.9, 0.8], [0.8, 0.7], [0.7, 0.6], [0.1, 0.5]])
    expected = (5 / 6 + 1 / 4) / 2
    assert mean_average_precision(labels, probabilities) == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("extra", [1, 3])
def test_labels_without_positives_are_left_out_of_the_mean(extra: int) -> None:
    generator = np.random.default_rng(0)
    labels = np.array([[1], [0], [1], [0], [0]], dtype=np.uint8)
    probabilities = generator.random((5, 1 + extra))
    expected = average_precision_score(labels[:, 0], probabilities[:, 0])
    padded = np.pad(labels, ((0, 0), (0, extra)))
    assert mean_average_precision(padded, probabilities) == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_no_positives_at_all() -> None:
    assert mean_average_precision(np.zeros((2, 2), dtype=np.uint8), np.ones((2, 2))) == 0.0
