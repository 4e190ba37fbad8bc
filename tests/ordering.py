"""Which tests are tried and in what order: long ones first in the share of each process.

Processes that are done take tests from the end of another's share, so that what is left at the end
should be short. Modules stay together, in the order in which they come, as their tests share
fixtures.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby

import pytest

PROCESSES = "PYTEST_XDIST_WORKER_COUNT"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for `--soak` alone; then order the tests for several processes."""
    if not config.getoption("--soak"):
        left_out = [item for item in items if item.get_closest_marker("soak") is not None]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item.get_closest_marker("soak") is None]
    processes = int(os.environ.get(PROCESSES, "1"))
    if processes > 1:
        items[:] = long_ones_first(items, processes)


def long_ones_first(items: Sequence[pytest.Item], processes: int) -> list[pytest.Item]:
    """The same tests; each of so many equal shares begins with modules that have slow tests."""
    modules = [list(of) for _, of in groupby(items, key=lambda item: item.path)]
    slow = [of for of in modules if any(item.get_closest_marker("slow") for item in of)]
    short = [item for of in modules if of not in slow for item in of]
    ordered: list[pytest.Item] = []
    for share in range(processes):
        ordered += [item for of in slow[share::processes] for item in of]
        room = max(len(items) * (share + 1) // processes - len(ordered), 0)
        ordered += short[:room]
        short = short[room:]
    return ordered
