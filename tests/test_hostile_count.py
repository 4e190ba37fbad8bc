"""The count of hostile attempts: what is one, what held, and the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_count import Attempts, Row, row_of, table

pytest_plugins = ["pytester"]

CONFTEST = f"""
import sys

sys.path.insert(0, {str(Path(__file__).parent)!r})
pytest_plugins = ["hostile_count"]

def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true")
"""
CASES = """
import pytest

@pytest.mark.hostile("names")
@pytest.mark.parametrize("name", ["..", "/", "fine"])
def test_names(name):
    assert name != "fine"

@pytest.mark.hostile("kills")
def test_kills(attempts):
    for killed in (True, False, True):
        with attempts.counted(killed):
            pass

@pytest.mark.hostile("flips")
def test_flips(attempts):
    for number in range(9):
        with attempts.counted():
            assert number != 3

@pytest.mark.hostile("tables", fuzz=True)
def test_tables(attempts):
    with attempts.counted(1000):
        pass

@pytest.mark.hostile("names")
def test_elsewhere():
    pytest.skip("not here")

@pytest.mark.hostile("names")
def test_without(lacking):
    pass

def test_of_no_attempt():
    pass
"""


@pytest.mark.parametrize("processes", [[], pytest.param(["-n", "2"], marks=pytest.mark.slow)])
def test_the_table_counts_cases_kills_and_examples(
    pytester: pytest.Pytester, processes: list[str]
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers = hostile(kind)\n")
    pytester.makepyfile(CASES)
    lines = pytester.runpytest("--soak", *processes).outlines
    rows = {line.split("  ")[0]: line.split()[-2:] for line in lines if "  " in line}
    assert rows["flips"] == ["4", "3"]
    assert rows["kills"] == ["2", "2"]
    assert rows["names"] == ["4", "2"], "a skipped one is not tried, one that cannot start fails"
    assert rows["tables"] == ["1,000", "1,000"]
    sums = [line.split()[1:] for line in lines if line.startswith("all")]
    assert sums == [["10", "7"], ["1,000", "1,000"]]
    quiet = pytester.runpytest(*processes).outlines
    assert not any(line.startswith("all") for line in quiet)


@pytest.mark.parametrize(
    ("made", "has_failed", "is_skipped", "counts"),
    [
        (None, False, False, (1, 1)),
        (None, True, False, (1, 0)),
        (None, False, True, (0, 0)),
        (Attempts(0, 0), False, False, (0, 0)),
        (Attempts(0, 0), True, False, (1, 0)),
        (Attempts(5, 5), True, False, (5, 4)),  # it failed after its last attempt
        (Attempts(5, 3), True, False, (5, 3)),
        (Attempts(5, 3), False, False, (5, 3)),
    ],
)
def test_a_test_that_failed_did_not_hold(
    made: Attempts | None, has_failed: bool, is_skipped: bool, counts: tuple[int, int]
) -> None:
    row = row_of("x", made, is_fuzz=False, has_failed=has_failed, is_skipped=is_skipped)
    assert row == Row("x", False, *counts)


def test_nothing_tried_is_no_table() -> None:
    assert table([]) == []
