"""Where the runs of this process are tracked, so that one is found by its id alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Place:
    """A tracking address, the experiment there, and the folder of what is written beside it."""

    uri: str
    experiment: str
    output_dir: str


@cache
def _places() -> dict[str, Place]:
    """By run id; what a session is, is the process's own, so there is one."""
    return {}


def remember(run_id: str, place: Place) -> None:
    """Keep where a run of this process is tracked."""
    _places()[run_id] = place


def place_of(prefix: str) -> Place | None:
    """Where the one run of this process whose id begins so is tracked; None without one."""
    found = [place for run_id, place in _places().items() if prefix and run_id.startswith(prefix)]
    return found[0] if len(set(found)) == 1 else None
