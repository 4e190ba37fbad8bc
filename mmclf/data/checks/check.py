"""The result of one check of a data set, and how numbers and names are written in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CheckStatus = Literal["ok", "note", "problem"]
MAX_EQUAL = 3


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Args:
        status: a `problem` would stop a run, a `note` would not.
        name: of the check.
        detail: what was found, in words.

    """

    status: CheckStatus
    name: str
    detail: str


def percent(share: float) -> str:
    """Format a share between 0 and 1 in percent, as `12.50 %`."""
    return f"{100 * share:.2f} %"


def join_equal(names: Sequence[str]) -> str:
    """The names of identical items, as `'a' = 'b' = 'c' and 2 more`."""
    more = f" and {len(names) - MAX_EQUAL} more" if len(names) > MAX_EQUAL else ""
    return " = ".join(names[:MAX_EQUAL]) + more
