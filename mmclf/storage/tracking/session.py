"""Where the runs of this process are tracked, so that one is found by its id alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class TrackingLocation:
    """A tracking address, the experiment there, and the folder of what is written beside it."""

    uri: str
    experiment: str
    output_dir: str


@cache
def _locations() -> dict[str, TrackingLocation]:
    """By run id; what a session is, is the process's own, so there is one."""
    return {}


def remember(run_id: str, location: TrackingLocation) -> None:
    """Keep where a run of this process is tracked."""
    _locations()[run_id] = location


def location_of(prefix: str) -> TrackingLocation | None:
    """Where the one run of this process whose id begins so is tracked; None without one."""
    if not prefix:
        return None
    locations = {where for run_id, where in _locations().items() if run_id.startswith(prefix)}
    return locations.pop() if len(locations) == 1 else None
