"""The result of one check of a data set, and how numbers and names are written in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mmclf.data.problems import listed

CheckStatus = Literal["ok", "note", "bad"]
NONE = "none"
MAX_EQUAL = 3


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Args:
        status: what is `bad` stops a run or spoils its results, what is a `note` may be meant so.
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


def counted(
    name: str,
    count: int,
    total: int,
    things: str,
    names: Sequence[str],
    status: CheckStatus = "note",
    advice: str = "",
) -> Check:
    """A check that counts cases out of `total` and lists the first few; `ok` if there are none."""
    if count == 0:
        return Check("ok", name, NONE)
    return Check(status, name, f"{count} of {total} {things}: {listed(names)}{advice}")
