from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmclf.data.grouped import Grouped


def test_labels_are_summed_by_group() -> None:
    labels = np.array([[1, 0], [1, 1], [0, 1], [1, 0]], dtype=np.uint8)
    grouped = Grouped.of(labels, np.array([7, 2, 7, 7]))
    assert grouped.sizes.tolist() == [1, 3]
    assert grouped.counts.tolist() == [[1, 1], [2, 1]]
    assert grouped.group_of.tolist() == [1, 0, 1, 1]
    assert grouped.rows(np.array([1])).tolist() == [0, 2, 3]
    assert grouped[np.array([1])].counts.tolist() == [[2, 1]]


def test_more_than_255_positives_of_a_group() -> None:
    grouped = Grouped.of(np.ones((600, 1), dtype=np.uint8), np.arange(600) % 2)
    assert grouped.counts.tolist() == [[300], [300]]


@given(st.lists(st.integers(-3, 3), max_size=20))
def test_every_sample_is_in_one_group(of: list[int]) -> None:
    grouped = Grouped.of(np.ones((len(of), 2), dtype=np.uint8), np.array(of, dtype=np.int64))
    assert len(grouped) == len(set(of))
    assert grouped.sizes.sum() == len(of)
    rows = [grouped.rows(np.array([group])).tolist() for group in range(len(grouped))]
    assert sorted(row for group in rows for row in group) == list(range(len(of)))
    assert all(len({of[row] for row in group}) == 1 for group in rows)


def test_without_groups_each_sample_is_its_own() -> None:
    labels = np.array([[1, 0], [0, 1]], dtype=np.uint8)
    for grouped in (Grouped.of(labels), Grouped.of(labels, np.array([9, 4]))):
        assert grouped.counts.tolist() == labels.tolist()
        assert grouped.group_of.tolist() == [0, 1]
