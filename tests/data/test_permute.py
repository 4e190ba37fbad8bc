from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.data.permute import derangement, with_shuffled_captions
from mmclf.data.samples import Samples


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_every_row_gets_another_one_and_none_is_lost(count: int, seed: int) -> None:
    order = derangement(np.arange(count), np.random.default_rng(seed))
    assert sorted(order) == list(range(count))
    assert (order != np.arange(count)).all()


@pytest.mark.parametrize("count", [0, 1])
def test_what_has_no_other_keeps_its_own(count: int) -> None:
    assert derangement(np.arange(count), np.random.default_rng(0)).tolist() == list(range(count))


def test_the_order_is_drawn() -> None:
    drawn = {tuple(derangement(np.arange(4), np.random.default_rng(seed))) for seed in range(200)}
    # Cycles through all four, and pairs swapped: all nine derangements of four.
    assert len(drawn) == 9


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_every_row_gets_one_of_another_group(of: list[int], seed: int) -> None:
    groups = np.array(of)
    order = derangement(groups, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(of)))
    largest = np.bincount(groups).max()
    # More than half of all rows cannot all get one of the others.
    assert (groups[order] == groups).sum() == max(0, 2 * largest - len(of))


def test_rows_of_their_own_are_permuted_as_ever() -> None:
    # NumPy's default_rng(0): the order 4 6 2 7 3 5 9 0 8 1, and then a shift by 6.
    actual = derangement(np.arange(10), np.random.default_rng(0))
    order = np.array([4, 6, 2, 7, 3, 5, 9, 0, 8, 1])
    generator = np.random.default_rng(0)
    assert generator.permutation(10).tolist() == order.tolist()
    assert actual[order].tolist() == np.roll(order, generator.integers(1, 10)).tolist()


def test_a_caption_comes_from_another_image() -> None:
    before = replace(samples(50), groups=tuple(f"{i // 5}" for i in range(50)))
    after = with_shuffled_captions(before)
    source = np.array([before.captions.index(caption) for caption in after.captions])
    assert (source // 5 != np.arange(50) // 5).all()


def samples(count: int) -> Samples:
    """Of every ten samples, the source keeps two for validation and one for the test."""
    place = np.arange(count) % 10
    return Samples(
        ids=tuple(f"{i}.jpg" for i in range(count)),
        images=tuple(Path(f"{i}.jpg") for i in range(count)),
        captions=tuple(f"caption {i}" for i in range(count)),
        labels=np.ones((count, 2), dtype=np.uint8),
        label_ids=("1", "2"),
        label_names=("a", "b"),
        own_val=place < 2,
        own_test=place == 2,
    )


def test_captions_go_to_other_samples_of_their_part() -> None:
    before = samples(50)
    after = with_shuffled_captions(before)
    fingerprint = np.array([before.captions.index(caption) for caption in after.captions])
    assert sorted(fingerprint) == list(range(50))
    assert (fingerprint != np.arange(50)).all()
    for part in (before.own_val, before.own_test):
        assert (part[fingerprint] == part).all()
    for field in fields(Samples):
        if field.name != "captions":
            assert getattr(after, field.name) is getattr(before, field.name)


def test_captions_are_shuffled_alike_each_time() -> None:
    first, again = (with_shuffled_captions(samples(30)).captions for _ in range(2))
    assert first == again


def test_all_captions_of_a_sample_go_together() -> None:
    several = replace(samples(10), other_captions=tuple((f"other {i}",) for i in range(10)))
    after = with_shuffled_captions(several)
    numbers = [caption.removeprefix("caption ") for caption in after.captions]
    assert after.other_captions == tuple((f"other {number}",) for number in numbers)
