from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.data.samples import Samples, label_matrix, sorted_labels

NOTHING = np.zeros(3, dtype=bool)
THREE = Samples(
    ids=("1", "2", "3"),
    images=(),
    captions=("a", "b", "c"),
    labels=np.ones((3, 1), dtype=np.uint8),
    label_ids=("a",),
    label_names=("a",),
    own_val=NOTHING,
    own_test=NOTHING,
)


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
    samples = replace(THREE, images=tuple(map(Path, images)), groups=groups)
    assert samples.group_numbers.tolist() == expected
    assert samples.are_grouped == (len(set(expected)) < 3)


def test_captions_by_sample_and_by_number() -> None:
    several = replace(THREE, other_captions=(("a1", "a2"), (), ("c1",)))
    assert several.caption_counts.tolist() == [3, 1, 2]
    assert several.captions_of(0) == ("a", "a1", "a2")
    views = [several.caption_view(number) for number in range(3)]
    assert views == [("a", "b", "c"), ("a1", "b", "c1"), ("a2", "b", "c")]
    assert THREE.caption_counts.tolist() == [1, 1, 1]
    assert THREE.captions_of(2) == ("c",)
    assert THREE.caption_view(1) == THREE.captions


@pytest.mark.parametrize(
    ("labels", "expected"),
    [([[1, 0], [0, 1], [1, 1]], False), ([[1, 0], [0, 0], [1, 1]], True), ([], False)],
)
def test_samples_without_a_label(labels: list[list[int]], expected: bool) -> None:
    matrix = np.array(labels, dtype=np.uint8).reshape(-1, 2)
    assert replace(THREE, labels=matrix).has_unlabelled is expected
