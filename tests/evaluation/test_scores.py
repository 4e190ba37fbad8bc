from __future__ import annotations

import numpy as np
import pytest

from mmclf.evaluation.metrics import METRICS, mean_average_precision, set_scores
from mmclf.evaluation.scores import (
    common_threshold_scores,
    fit_thresholds,
    label_scores,
    monitored,
    part_scores,
    presence_scores,
    probabilities_of,
)
from mmclf.evaluation.threshold_search import best_global
from mmclf.evaluation.thresholds import Fixed, decide

LABELS = np.array([[1, 0, 1], [0, 1, 0]], dtype=np.uint8)
# At 0.5: {0}, {1, 2}; at 0.35: {0, 2}, {1, 2}.
PROBABILITIES = np.array([[0.9, 0.1, 0.4], [0.2, 0.8, 0.6]])


def test_probabilities_are_sigmoids_in_double() -> None:
    actual = probabilities_of(np.array([[0.0, 30.0, -1.0]], dtype=np.float32))
    assert actual.dtype == np.float64
    # In single precision the sigmoid of 30 would be 1.
    assert actual[0].tolist() == pytest.approx([0.5, 1 / (1 + np.exp(-30.0)), 1 / (1 + np.e)])
    assert actual[0, 1] < 1


def test_scores_of_a_part_use_the_threshold_of_each_label() -> None:
    scores = part_scores("val", 0.25, LABELS, PROBABILITIES, np.array([0.5, 0.5, 0.3]), "argmax")
    # {0, 2} of {0, 2}, and {1, 2} of {1}.
    assert set(scores) == {"val/loss", "val/map", *(f"val/{name}" for name in METRICS)}
    expected = {
        "val/loss": 0.25,
        "val/f1_macro": (1 + 1 + 2 / 3) / 3,
        "val/f1_micro": 6 / 7,
        "val/f1_samples": (1 + 2 / 3) / 2,
        "val/map": (1 + 1 + 1 / 2) / 3,
    }
    assert {key: scores[key] for key in expected} == pytest.approx(expected)


def test_scores_at_one_half_and_at_the_fitted_threshold() -> None:
    scores = common_threshold_scores("test", LABELS, PROBABILITIES, 0.7, "argmax")
    assert set(scores) == {f"test/{name}_{at}" for name in METRICS for at in ("at_0.5", "fitted")}
    # At 0.5 {0} of {0, 2} and {1, 2} of {1}; at 0.7 {0} of {0, 2} and {1} of {1}.
    assert scores["test/f1_samples_at_0.5"] == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert scores["test/f1_samples_fitted"] == pytest.approx((2 / 3 + 1) / 2)


def test_the_policy_for_empty_sets_is_used() -> None:
    thresholds = np.full(3, 0.95)
    assert part_scores("val", 0, LABELS, PROBABILITIES, thresholds, "empty")["val/f1_samples"] == 0
    kept = part_scores("val", 0, LABELS, PROBABILITIES, thresholds, "argmax")["val/f1_samples"]
    assert kept == pytest.approx((2 / 3 + 1) / 2)


def test_a_score_of_each_label() -> None:
    scores = label_scores(
        ["person", "cat", "dog"], LABELS, PROBABILITIES, np.full(3, 0.5), "argmax"
    )
    assert scores == {
        "test/f1_label/person": 1.0,
        "test/f1_label/cat": 1.0,
        "test/f1_label/dog": 0.0,
    }


def test_labels_without_a_positive_are_counted_and_left_out() -> None:
    labels = np.pad(LABELS, ((0, 0), (0, 2)))
    chances = np.pad(PROBABILITIES, ((0, 0), (0, 2)), constant_values=0.9)
    actual = presence_scores("test", labels, chances, np.full(5, 0.5), "argmax")
    assert actual == {"test/labels_without_positive": 2, "test/f1_macro_present": 2 / 3}
    alone = part_scores("test", 0, LABELS, PROBABILITIES, np.full(3, 0.5), "argmax")
    assert alone["test/f1_macro"] == 2 / 3


def test_a_lower_loss_is_better() -> None:
    assert monitored("val/loss", 0.25, LABELS, PROBABILITIES, "argmax") == -0.25


def test_the_monitored_metrics() -> None:
    expected = mean_average_precision(LABELS, PROBABILITIES)
    assert monitored("val/map", 9.0, LABELS, PROBABILITIES, "argmax") == expected
    threshold = best_global(PROBABILITIES, LABELS, "argmax", "samples")
    decided = decide(PROBABILITIES, np.full(3, threshold), "argmax")
    fitted = monitored("val/f1_samples_fitted", 9.0, LABELS, PROBABILITIES, "argmax")
    assert fitted == set_scores(LABELS, decided)["f1_samples"]
    assert fitted == pytest.approx(5 / 6)


def test_fitted_thresholds() -> None:
    own, fitted = fit_thresholds(Fixed(0.3, "empty"), LABELS, PROBABILITIES)
    assert own.tolist() == [0.3] * 3
    assert fitted == best_global(PROBABILITIES, LABELS, "empty", "samples")
