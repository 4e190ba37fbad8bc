from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.data.samples import Samples, label_matrix, sorted_labels


def five(images: bool = True) -> Samples:
    labels = np.arange(15, dtype=np.uint8).reshape(5, 3) % 2
    return Samples(
        ids=tuple("abcde"),
        images=tuple(Path(f"{letter}.jpg") for letter in "abcde") if images else (),
        captions=tuple("ABCDE"),
        labels=labels,
        label_ids=("1", "2", "3"),
        label_names=("x", "y", "z"),
        own_val=np.array([True, False, False, False, True]),
        own_test=np.array([False, True, False, True, False]),
    )


@pytest.mark.parametrize("rows", [[3, 0], np.array([3, 0]), (3, 0)])
def test_take_restricts_everything_to_the_rows_in_their_order(rows: list[int]) -> None:
    all_of_them, taken = five(), five().take(rows)
    assert taken.ids == ("d", "a")
    assert taken.images == (Path("d.jpg"), Path("a.jpg"))
    assert taken.captions == ("D", "A")
    assert taken.labels.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert taken.labels.dtype == np.uint8
    assert taken.own_val.tolist() == [False, True]
    assert taken.own_test.tolist() == [True, False]
    assert (taken.label_ids, taken.label_names) == (all_of_them.label_ids, all_of_them.label_names)
    assert len(taken) == 2
    assert len(all_of_them) == 5


def test_take_of_none_and_of_samples_without_images() -> None:
    nothing = five().take([])
    assert len(nothing) == 0
    assert nothing.labels.shape == (0, 3)
    assert five(images=False).take([2]).images == ()


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
