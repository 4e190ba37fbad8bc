"""Counts hostile attempts, and how many held: a table at the end of `make soak`.

A test marked `hostile(KIND)` is one attempt, each of its parameters' cases another one; one that
takes the fixture `attempts` says itself how many it makes, as it kills or flips in a loop. With
`fuzz=True` these are examples that were drawn, which are counted apart. What was skipped was not
tried. Counts travel in the reports of tests, so that they arrive from other processes as well.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

PROPERTY = "hostile"  # of a report: kind, is of fuzzing, tried, held


@dataclass
class Attempts:
    """The attempts that a test makes in a loop."""

    tried: int = 0
    held: int = 0

    @contextmanager
    def counted(self, count: int = 1) -> Iterator[None]:
        """Count so many attempts, and as held unless the block raises."""
        self.tried += count
        yield
        self.held += count


@dataclass(frozen=True)
class Row:
    """The attempts of a kind."""

    kind: str
    is_fuzz: bool
    tried: int
    held: int


@pytest.fixture
def attempts(request: pytest.FixtureRequest) -> Attempts:
    """The attempts of a test that makes several."""
    assert request.node.get_closest_marker("hostile") is not None, "it is not marked as hostile"
    made: Attempts = request.node.stash.setdefault(KEY, Attempts())
    return made


KEY: pytest.StashKey[Attempts] = pytest.StashKey()


def row_of(
    kind: str, made: Attempts | None, *, is_fuzz: bool, has_failed: bool, is_skipped: bool
) -> Row:
    """The attempts of one test; of one that failed, one at least did not hold."""
    if made is None:
        made = Attempts(1, 1)
    if is_skipped:
        return Row(kind, is_fuzz, 0, 0)
    tried = max(made.tried, 1) if has_failed else made.tried
    return Row(kind, is_fuzz, tried, min(made.held, tried - 1) if has_failed else made.held)


def table(rows: Iterable[Row]) -> list[str]:
    """The lines of the table: the kinds by name, those of fuzzing below, and the sums of each."""
    listed = list(rows)
    lines: list[str] = []
    for is_fuzz, title in ((False, "hostile attempts"), (True, "fuzzing, examples")):
        kinds = sorted({row.kind for row in listed if row.is_fuzz == is_fuzz})
        if kinds:
            sums = [_sum([r for r in listed if (r.kind, r.is_fuzz) == (k, is_fuzz)]) for k in kinds]
            lines += _block(title, sums)
    return lines


def _sum(rows: Sequence[Row], kind: str | None = None) -> Row:
    tried, held = sum(row.tried for row in rows), sum(row.held for row in rows)
    return Row(kind if kind is not None else rows[0].kind, rows[0].is_fuzz, tried, held)


def _block(title: str, sums: Sequence[Row]) -> list[str]:
    wide = max(len(title), *(len(row.kind) for row in sums))
    lines = [f"{title:{wide}}  {'tried':>9}  {'held':>9}"]
    lines += [f"{row.kind:{wide}}  {row.tried:9,}  {row.held:9,}" for row in sums]
    total = _sum(sums, "all")
    return [*lines, f"{total.kind:{wide}}  {total.tried:9,}  {total.held:9,}", ""]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the attempts to the report of a hostile test: of its call, or of what ended it before."""
    report = yield
    mark = item.get_closest_marker("hostile")
    is_last = report.when == "call" or (report.when == "setup" and not report.passed)
    if mark is not None and is_last:
        row = row_of(
            mark.args[0],
            item.stash.get(KEY, None),
            is_fuzz=mark.kwargs.get("fuzz", False),
            has_failed=report.failed,
            is_skipped=report.skipped,
        )
        report.user_properties.append((PROPERTY, [row.kind, row.is_fuzz, row.tried, row.held]))
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table, where all is tried."""
    if not config.getoption("--soak"):
        return
    reports = [report for several in terminalreporter.stats.values() for report in several]
    rows = [
        Row(*value)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY and report.when != "teardown"
    ]
    for line in table(rows):
        terminalreporter.write_line(line)
