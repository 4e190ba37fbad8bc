from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.data.samples import Samples, label_matrix, sorted_labels


def test_label_matrix_has_a_column_for_each_label() -> None:
    matrix = label_matrix([("b",), (), ("c", "a", "c")], ("a", "b", "c"))
    assert matrix.tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 1]]


@given(st.sets(st.integers(0, 10**30).map(str)))
def test_numbers_are_sorted_as_numbers(labels: set[str]) -> None:
    assert sorted_labels(labels) == tuple(sorted(labels, key=int))


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        ({"10", "9", "a"}, ("10", "9", "a")),
        ({"1", "01", "2"}, ("01", "1", "2")),
        ({"0", "00", "1"}, ("0", "00", "1")),
        ({"10", "\u0661"}, ("10", "\u0661")),
    ],
)
def test_order_of_labels(labels: set[str], order: tuple[str, ...]) -> None:
    assert sorted_labels(labels) == order


@pytest.mark.parametrize(
    ("groups", "images", "expected"),
    [
        (("b", "a", "b"), ("x", "x", "y"), [0, 1, 0]),
        ((), ("x", "x", "y"), [0, 0, 1]),
        ((), (), [0, 1, 2]),
    ],
)
def test_samples_belong_together_by_their_group_or_else_their_image(
    groups: tuple[str, ...], images: tuple[str, ...], expected: list[int]
) -> None:
    nothing = np.zeros(3, dtype=bool)
    samples = Samples(
        ids=("1", "2", "3"),
        images=tuple(map(Path, images)),
        captions=("",) * 3,
        labels=np.ones((3, 1), dtype=np.uint8),
        label_ids=("a",),
        label_names=("a",),
        own_val=nothing,
        own_test=nothing,
        groups=groups,
    )
    assert samples.group_numbers.tolist() == expected
    assert samples.are_grouped == (len(set(expected)) < 3)
