from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmclf.data.samples import Samples
from mmclf.data.shared_groups import check_shared_groups, shared_groups
from mmclf.errors import InputError


def samples(groups: str, parts: str) -> Samples:
    """A sample for each letter: its group, and t for the source's test set, v for validation."""
    own = np.array(list(parts))
    return Samples(
        ids=tuple(f"{group}{i}" for i, group in enumerate(groups)),
        images=(),
        captions=("",) * len(groups),
        labels=np.ones((len(groups), 2), dtype=np.uint8),
        label_ids=("1", "2"),
        label_names=("a", "b"),
        own_val=own == "v",
        own_test=own == "t",
        groups=tuple(groups),
    )


@pytest.mark.parametrize(
    ("groups", "parts", "divided"),
    [
        ("aabbcc", "--vvtt", []),
        ("abcabc", "------", []),
        ("aabbcc", "-tvvtt", [[0, 1]]),
        ("abcabc", "vtttvv", [[0, 3], [1, 4], [2, 5]]),
        ("abacab", "--tv-v", [[0, 2, 4], [1, 5]]),
        ("abcdef", "vt--vt", []),
    ],
)
def test_groups_that_the_own_parts_divide(
    groups: str, parts: str, divided: list[list[int]]
) -> None:
    shared = shared_groups(samples(groups, parts))
    assert [rows.tolist() for rows in shared] == divided


def test_they_are_refused_with_their_names_and_samples() -> None:
    with pytest.raises(InputError) as caught:
        check_shared_groups(samples("abacab", "--tv-v"), "error")
    (problem,) = caught.value.problems
    for named in ("2 groups", "'a'", "'a0'", "'a2' in test", "'b'", "'b5' in val", "=warn"):
        assert named in problem


def test_they_are_counted_where_they_are_admitted() -> None:
    assert check_shared_groups(samples("abacab", "--tv-v"), "warn") == 2
    assert check_shared_groups(samples("aabbcc", "--vvtt"), "error") == 0


def test_images_are_groups_where_none_are_named() -> None:
    plain = samples("abab", "--tt")
    images = tuple(Path(f"{sample[0]}.png") for sample in plain.ids)
    divided = replace(plain, groups=(), images=images)
    with pytest.raises(InputError, match=r"'a\.png'"):
        check_shared_groups(divided, "error")
