from __future__ import annotations

import numpy as np
import pytest
from message_facts import Naming
from sklearn.metrics import average_precision_score, f1_score

from mmclf.errors import InputError
from mmclf.evaluation.metrics import (
    METRICS,
    RULES,
    deciding_metric,
    f1_of_present,
    f1_per_label,
    mean_average_precision,
    set_scores,
)

# Per label: (tp, fp, fn) = (2, 1, 0), (0, 0, 1), (1, 0, 1), (0, 0, 0).
LABELS = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0]], dtype=np.uint8)
FOUND = np.array([[1, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0]], dtype=np.uint8)


def test_f1_by_hand() -> None:
    assert f1_per_label(LABELS, FOUND) == pytest.approx([4 / 5, 0, 2 / 3, 0])
    scores = set_scores(LABELS, FOUND)
    assert scores["f1_macro"] == pytest.approx((4 / 5 + 2 / 3) / 4)
    assert scores["f1_micro"] == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))
    # By sample: (2 of 2, 2 of 2), (1, 1 of 2), (0).
    assert scores["f1_samples"] == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_f1_of_the_labels_that_have_a_positive() -> None:
    assert f1_of_present(LABELS, FOUND) == pytest.approx((4 / 5 + 0 + 2 / 3) / 3)
    assert f1_of_present(LABELS[:, 3:], 1 - LABELS[:, 3:]) == 0


@pytest.mark.parametrize("width", [2, 5, 18])
def test_f1_against_scikit_learn(width: int) -> None:
    generator = np.random.default_rng(width)
    labels = (generator.random((50, width)) < 0.2).astype(np.uint8)
    predicted = (generator.random((50, width)) < 0.2).astype(np.uint8)
    for average in ("macro", "micro", "samples"):
        zero_division = 1 if average == "samples" else 0
        expected = f1_score(labels, predicted, average=average, zero_division=zero_division)
        assert set_scores(labels, predicted)[f"f1_{average}"] == pytest.approx(expected, abs=1e-12)
    expected = f1_score(labels, predicted, average=None, zero_division=0)
    assert f1_per_label(labels, predicted) == pytest.approx(expected)


@pytest.mark.filterwarnings("error")
def test_nothing_to_divide_by_is_zero_but_right_of_a_sample() -> None:
    nothing = np.zeros((3, 2), dtype=np.uint8)
    scores = set_scores(nothing, nothing)
    assert [scores[name] for name in ("f1_macro", "f1_micro", "f1_samples")] == [0.0, 0.0, 1.0]
    assert f1_per_label(nothing, nothing).tolist() == [0.0, 0.0]
    something = np.array([[1, 0], [0, 0], [0, 0]], dtype=np.uint8)
    assert set_scores(nothing, something)["f1_samples"] == 2 / 3
    assert set_scores(something, nothing)["f1_samples"] == 2 / 3


@pytest.mark.filterwarnings("error")
def test_a_single_label() -> None:
    labels = np.array([[1], [1], [0], [0]], dtype=np.uint8)
    predicted = np.array([[1], [0], [1], [0]], dtype=np.uint8)
    assert f1_per_label(labels, predicted).tolist() == [0.5]
    scores = set_scores(labels, predicted)
    assert [scores[name] for name in ("f1_macro", "f1_micro", "f1_samples")] == [0.5, 0.5, 0.5]


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


def test_what_decides_a_study_is_a_metric_of_label_sets_by_a_rule() -> None:
    for name in METRICS:
        for rule in RULES:
            actual = deciding_metric(f"test/{name}{rule}")
            assert (actual.name, actual.rule) == (name, rule)
    fitted = deciding_metric("test/f1_macro_fitted")
    assert fitted.metric is METRICS["f1_macro"]
    assert [fitted.key(rule) for rule in RULES] == [
        "test/f1_macro",
        "test/f1_macro_at_0.5",
        "test/f1_macro_fitted",
    ]


@pytest.mark.parametrize("key", ["test/map", "val/f1_micro", "test/f1_micro_at_0.4", "f1_micro"])
def test_another_metric_decides_none_and_the_nearest_is_named(key: str) -> None:
    with pytest.raises(InputError, match=rf"study\.metric: .*'{key}'"):
        deciding_metric(key)
    with pytest.raises(InputError, match="did you mean 'test/f1_micro'"):
        deciding_metric("test/f1_mikro")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("test/f1_samples", Naming("samples-F1", "test")),
        ("test/f1_macro_at_0.5", Naming("macro-F1", "test", "0.5")),
        ("test/f1_micro_fitted", Naming("micro-F1", "test", "fitted", "val")),
    ],
)
def test_what_decides_is_named_in_words(key: str, words: Naming) -> None:
    assert deciding_metric(key).words == words
