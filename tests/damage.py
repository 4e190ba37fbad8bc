"""Damage to valid files, drawn by hypothesis: to their bytes, and to the values of JSON."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hostile_count import Attempts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ODD: list[Any] = [
    *(None, True, -1, 0, 1, 10**30, -(10**30), 1.5, float("nan"), float("inf"), "", "\0", "\ud800"),
    *("../../x", "/etc/passwd", "a" * 5000, [], {}, [[]], {"": None}, [None], "1", "NaN"),
]


def damaged_bytes(valid: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with some of them changed, left out or put in, or cut off."""
    place = st.integers(0, max(len(valid) - 1, 0))
    change = st.tuples(place, st.integers(0, 3), st.binary(min_size=1, max_size=4))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        data = valid
        for at, count, put in changes:
            data = data[:at] + put + data[at + count :]
        return data

    cut = place.map(lambda end: valid[:end])
    return st.one_of(st.lists(change, min_size=1, max_size=4).map(apply), cut, st.binary())


def damaged_tree(valid: Any) -> st.SearchStrategy[Any]:
    """The JSON value with some of its parts replaced by odd ones, or left out."""
    paths = [*_paths(valid, ())]
    change = st.tuples(st.sampled_from(paths), st.sampled_from(["leave out", *ODD]))

    def apply(changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
        tree = copy.deepcopy(valid)
        for path, value in changes:
            tree = _replaced(tree, path, value)
        return tree

    return st.lists(change, min_size=1, max_size=3).map(apply)


def _paths(tree: Any, path: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = [*enumerate(tree)] if isinstance(tree, list) else []
    inner += tree.items() if isinstance(tree, dict) else ()
    return [path, *(below for key, value in inner for below in _paths(value, (*path, key)))]


def _replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return tree if value == "leave out" else copy.deepcopy(value)
    first, *rest = path
    try:
        if not rest and value == "leave out":
            del tree[first]
        else:
            tree[first] = _replaced(tree[first], tuple(rest), value)
    except (LookupError, TypeError):  # another change has removed it
        return tree
    return tree


def try_each(
    drawn: st.SearchStrategy[Any], check: Callable[[Any], None], count: int, attempts: Attempts
) -> None:
    """Check so many of what is drawn, each an attempt."""
    kept = settings(
        max_examples=count,
        database=None,
        suppress_health_check=list(HealthCheck),
    )

    @kept
    @given(drawn)
    def checked(one: Any) -> None:
        with attempts.counted():
            check(one)

    checked()


def flip(path: Path) -> None:
    """Change one bit of a file, in its middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
