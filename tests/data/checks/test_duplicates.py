from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.data.checks.duplicates import (
    LINE_STEP,
    also_in_training,
    in_several_parts,
    same_captions,
    same_pictures,
    with_different_labels,
)
from mmclf.data.split import Parts

PARTS = Parts(np.array([0, 1, 2]), np.array([3, 4]), np.array([5, 6]))


def test_captions_are_alike_but_for_white_space_and_case() -> None:
    captions = ["A dog.", "a  DOG.\n", "a dog", "", " ", "Straße", "STRASSE", "a dog. "]
    assert same_captions(captions) == ((0, 1, 7), (5, 6))


@pytest.mark.parametrize("captions", [[], [""], ["", ""], ["a", "b"]])
def test_captions_of_which_none_are_alike(captions: list[str]) -> None:
    assert same_captions(captions) == ()


def test_pictures_are_alike_if_every_pixel_is() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (7, 32, 32, 3), dtype=np.uint8)
    pictures[4] = pictures[6] = pictures[1]
    pictures[5] = pictures[0]
    # One value, off the lines that are looked at first and on them.
    pictures[2], pictures[3] = pictures[1], pictures[1]
    pictures[2, LINE_STEP - 1, 5, 1] ^= 1
    pictures[3, LINE_STEP, 5, 1] ^= 1
    assert same_pictures(pictures) == ((0, 5), (1, 4, 6))
    assert same_pictures(pictures, excluded={4, 5}) == ((1, 6),)
    assert same_pictures(pictures, excluded={1, 4, 5}) == ()


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 40))
def test_pictures_are_grouped_as_what_they_show(shown: list[int], size: int) -> None:
    pictures = np.stack([np.full((size, size, 3), value, np.uint8) for value in [*shown, 200]])
    expected = [tuple(np.flatnonzero(np.array(shown) == value).tolist()) for value in range(4)]
    assert same_pictures(pictures) == tuple(sorted(g for g in expected if len(g) > 1))


def test_groups_that_straddle_the_parts() -> None:
    groups = ((0, 1), (2, 3), (4, 5), (5, 6), (0, 7), (7, 8))
    # The samples 7 and 8 are in no part.
    assert in_several_parts(groups, PARTS) == ((2, 3), (4, 5))


def test_groups_with_other_labels() -> None:
    labels = np.array([[1, 0], [1, 0], [1, 1], [0, 0]], dtype=np.uint8)
    assert with_different_labels(((0, 1), (0, 1, 2), (2, 3)), labels) == ((0, 1, 2), (2, 3))


def test_samples_that_training_holds_too() -> None:
    groups = ((0, 5, 6), (1, 2), (3, 4), (4, 7))
    assert also_in_training(groups, PARTS, "test") == (5, 6)
    assert also_in_training(groups, PARTS, "val") == ()
    assert also_in_training(((2, 4),), PARTS, "val") == (4,)
