from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mmclf import compose
from mmclf.config.targets import build
from mmclf.errors import InputError
from mmclf.evaluation.threshold_search import Average, Empty
from mmclf.evaluation.thresholds import (
    EmptyRule,
    Fixed,
    GlobalF1,
    PerLabelF1,
    decide,
    empty_of,
)

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


PROBABILITIES = np.array([[0.9, 0.6], [0.8, 0.5], [0.7, 0.4], [0.1, 0.3]])
LABELS = matrix([[1, 0], [1, 0], [1, 0], [0, 1]])


@pytest.mark.parametrize(
    ("rule", "has_unlabelled", "expected"),
    [
        ("auto", False, "argmax"),
        ("auto", True, "empty"),
        ("argmax", True, "argmax"),
        ("empty", False, "empty"),
    ],
)
def test_what_becomes_of_a_set_without_labels_is_asked_or_follows_the_samples(
    rule: EmptyRule, has_unlabelled: bool, expected: Empty
) -> None:
    assert empty_of(rule, has_unlabelled=has_unlabelled) == expected


@pytest.mark.parametrize("kind", [Fixed, GlobalF1, PerLabelF1])
def test_every_rule_wants_like_shapes(kind: type[Fixed | GlobalF1 | PerLabelF1]) -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) .*\(2, 2\)"):
        kind().fit(np.zeros((2, 3)), np.zeros((2, 2), dtype=np.uint8))


@pytest.mark.parametrize(
    ("average", "empty", "expected"),
    [
        # All but the last sample's label pass; to pass that one too adds to macro-F1 alone.
        ("micro", "empty", 0.65),
        ("macro", "empty", 0.2),
        ("samples", "empty", 0.65),
        # The likeliest labels are the true ones: nothing else may pass.
        ("samples", "argmax", 0.8),
    ],
)
def test_the_best_threshold_for_all(average: Average, empty: Empty, expected: float) -> None:
    rule = GlobalF1(average, empty)
    assert rule.fit(PROBABILITIES, LABELS).tolist() == pytest.approx([expected] * 2)
    assert rule.empty == empty


@pytest.mark.parametrize(
    ("average", "empty", "expected"),
    [
        ("micro", "empty", [0.4, 0.8]),
        ("macro", "empty", [0.4, 0.15]),
        ("samples", "empty", [0.65, 0.65]),
        ("macro", "argmax", [0.8, 0.8]),
    ],
)
def test_the_best_threshold_for_each(average: Average, empty: Empty, expected: list[float]) -> None:
    rule = PerLabelF1(average, empty)
    assert rule.fit(PROBABILITIES, LABELS).tolist() == pytest.approx(expected)
    assert rule.empty == empty


@pytest.mark.parametrize(("level", "kind"), [("global_f1", GlobalF1), ("per_label_f1", PerLabelF1)])
def test_the_levels_say_the_defaults(level: str, kind: type[GlobalF1 | PerLabelF1]) -> None:
    rule = build(compose([f"threshold={level}"]).config.threshold, "threshold")
    assert type(rule) is kind
    assert vars(rule) == vars(kind()) == {"average": "samples", "empty": "argmax"}


@pytest.mark.parametrize("level", ["global_f1", "per_label_f1"])
def test_a_level_refuses_another_average(level: str) -> None:
    with pytest.raises(InputError, match=r"threshold\.average: .*'weighted'.*micro"):
        compose([f"threshold={level}", "threshold.average=weighted"])
