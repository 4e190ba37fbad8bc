"""The parts of a batch that processes compute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.training.share import ALONE, Share


@given(count=st.integers(0, 200), size=st.integers(1, 17))
def test_the_parts_are_all_of_it_in_order_and_alike_in_size(count: int, size: int) -> None:
    parts = Share(0, size).all_of(count)
    assert [number for part in parts for number in range(count)[part]] == [*range(count)]
    counts = Share(0, size).counts(count)
    assert sum(counts) == count
    assert max(counts) - min(counts) <= 1


def test_a_process_alone_has_all_rows() -> None:
    assert ALONE.of(7) == ALONE.rows(7) == slice(0, 7)


@pytest.mark.parametrize(("rank", "rows"), [(0, slice(0, 1)), (1, slice(1, 2)), (2, slice(0, 1))])
def test_a_process_without_rows_takes_the_first(rank: int, rows: slice) -> None:
    assert Share(rank, 3).rows(2) == rows
