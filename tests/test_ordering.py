from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ordering import long_ones_first


def items_of(module: str, count: int, slow: int = 0) -> list[Any]:
    """Tests of a module, so many of them slow."""
    return [
        SimpleNamespace(
            path=Path(module),
            name=f"{module}{number}",
            get_closest_marker=lambda _, is_slow=number < slow: is_slow or None,
        )
        for number in range(count)
    ]


SHORT = [item for module in "abcdef" for item in items_of(module, 10)]
LONG = [item for module in "uvwxyz" for item in items_of(module, 3, slow=1)]


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_each_share_begins_with_long_modules_and_ends_with_short_tests(processes: int) -> None:
    modules = [SHORT[start : start + 10] for start in range(0, len(SHORT), 10)]
    modules += [LONG[start : start + 3] for start in range(0, len(LONG), 3)]
    random.Random(0).shuffle(modules)
    items = [item for of in modules for item in of]
    ordered = long_ones_first(items, processes)
    assert sorted(item.name for item in ordered) == sorted(item.name for item in items)
    size = len(items) // processes
    for start in range(0, len(items), size):
        share = "".join(str(item.path) for item in ordered[start : start + size])
        long = 18 // processes
        assert set(share[:long]) <= set("uvwxyz")
        assert set(share[long:]) <= set("abcdef")
        assert all(share.count(module) in (0, 3) for module in "uvwxyz")


def test_more_long_tests_than_a_share_has_room_for_are_all_there() -> None:
    items = [*items_of("a", 20, slow=20), *items_of("b", 1, slow=1), *items_of("c", 3)]
    ordered = long_ones_first(items, 2)
    assert [item.path.name for item in ordered] == [*"a" * 20, *"b", *"c" * 3]
