"""Digests: the same for the same content in every process, and no two contents share one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmclf.storage.store.hashing import array_digest, digest, texts_digest

# Surrogates too: file names that are no UTF-8 come with them.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=6)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


# Each by the command line: printf '%s' TEXT | sha256sum | cut -c-40
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "74234e98afe7498fb5daf1f36ac2d78acc339464"),
        ("1", "391552c099c101b131feaf24c5795a6a15bc8ec8"),
        ((1, 2), "3a316d6d3226f84c1e46e4447fa8d5fd800bff4a"),
        ({"a": {"b": 1}}, "833b85f20e5423aa55686d04dddfe6a492bab170"),
        ({"b": [1, 2.5, True, "é"], "a": None}, "f9e2115bef618e447f54dac5262f3ec5efbf1a78"),
    ],
)
def test_a_digest_is_that_of_the_values_json(value: object, expected: str) -> None:
    assert digest(value) == expected


def test_texts_are_digested_with_their_lengths() -> None:
    assert texts_digest(["ab", "c"]) == "43ee655579de01ca739b3f95c1c2d3f46d353b2c"
    assert texts_digest([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4"


def test_arrays_are_digested_with_their_type_and_shape() -> None:
    array = np.array([[1, 2]], dtype="<i2")
    assert array_digest(array) == "e48e0f247be644824639a7909cd8450a219895f9"
    assert array_digest(np.empty((0, 3), np.uint8)) == "b01d4dad580cea6fa4dd0e98925c3f076b0f0735"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_finds_the_same_digest(seed: str) -> None:
    program = (
        "from mmclf.storage.store.hashing import digest; "
        "print(digest({'b': [1, 2.5, True, '\\u00e9'], 'a': None}))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert output == "f9e2115bef618e447f54dac5262f3ec5efbf1a78\n"


def test_types_that_python_calls_equal_have_different_digests() -> None:
    like_one: list[object] = [1, True, "1", 1.0, [1], {"1": 1}, [[1]]]
    like_nothing: list[object] = [0, False, "0", 0.0, -0.0, None, "", [], {}, "null", [None]]
    assert len({digest(value) for value in like_one}) == 7
    assert len({digest(value) for value in like_nothing}) == 11


def strict(value: object) -> object:
    """A value as Python compares it, but with its type."""
    if isinstance(value, dict):
        return "dict", frozenset((key, strict(item)) for key, item in value.items())
    if isinstance(value, list):
        return "list", tuple(strict(item) for item in value)
    return type(value).__name__, repr(value)


@given(VALUES, VALUES)
def test_two_digests_are_equal_if_and_only_if_the_values_are(first: object, second: object) -> None:
    assert (digest(first) == digest(second)) is (strict(first) == strict(second))


@given(st.dictionaries(TEXTS, VALUES, min_size=2, max_size=5))
def test_the_order_of_a_mapping_does_not_count(value: dict[str, object]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@given(st.lists(TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
def test_texts_are_not_run_together(first: list[str], second: list[str]) -> None:
    assert (texts_digest(first) == texts_digest(second)) is (first == second)


@pytest.mark.parametrize(
    "value",
    [
        Path("a"),
        b"a",
        {1, 2},
        Ellipsis,
        np.int64(1),
        np.zeros(2),
        {"a": [Path("a")]},
        {1: "a"},
        {None: "a"},
        [{("a",): 1}],
    ],
    ids=repr,
)
def test_what_is_no_plain_value_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        digest(value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest({"a": [number]})


ARRAY = np.arange(6, dtype=np.int32).reshape(2, 3)


@pytest.mark.parametrize(
    "other",
    [
        ARRAY.astype(np.int64),
        ARRAY.astype(np.uint32),
        ARRAY.astype(">i4"),
        ARRAY.view(np.float32),
        ARRAY.reshape(3, 2),
        ARRAY.reshape(6),
        ARRAY.T,
        ARRAY[::-1],
        np.where(ARRAY == 4, 5, ARRAY).astype(np.int32),
    ],
    ids=["int64", "uint32", "big-endian", "float32", "3x2", "6", "turned", "reversed", "a value"],
)
def test_arrays_of_other_type_shape_or_content_differ(other: NDArray[Any]) -> None:
    assert array_digest(other) != array_digest(ARRAY)


def test_how_an_array_lies_in_memory_does_not_count() -> None:
    assert array_digest(np.asfortranarray(ARRAY)) == array_digest(ARRAY)
    assert array_digest(np.repeat(ARRAY, 2, axis=1)[:, ::2]) == array_digest(ARRAY)


def test_a_number_as_an_array_is_no_list_of_one() -> None:
    assert array_digest(np.array(5)) != array_digest(np.array([5]))


def test_an_array_of_objects_is_refused() -> None:
    with pytest.raises(TypeError):
        array_digest(np.array([None, "a"], dtype=object))
