"""One line of the report: whether something is as it should be, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "note", "problem"]
LISTED_ALIKE = 3


@dataclass(frozen=True)
class Check:
    """What was found about `what`; a `problem` would stop a run, a `note` would not."""

    verdict: Verdict
    what: str
    found: str


def percent(share: float) -> str:
    """A share between 0 and 1 in percent."""
    return f"{100 * share:.2f} %"


def equated(names: Sequence[str]) -> str:
    """The names of things that are alike, as `'a' = 'b' = 'c' and 2 more`."""
    more = f" and {len(names) - LISTED_ALIKE} more" if len(names) > LISTED_ALIKE else ""
    return " = ".join(names[:LISTED_ALIKE]) + more
