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
    found = derangement(count, np.random.default_rng(seed))
    assert sorted(found) == list(range(count))
    assert (found != np.arange(count)).all()


@pytest.mark.parametrize("count", [0, 1])
def test_what_has_no_other_keeps_its_own(count: int) -> None:
    assert derangement(count, np.random.default_rng(0)).tolist() == list(range(count))


def test_the_order_is_drawn() -> None:
    drawn = {tuple(derangement(4, np.random.default_rng(seed))) for seed in range(200)}
    # Cycles through all four, and pairs swapped: all nine derangements of four.
    assert len(drawn) == 9


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
