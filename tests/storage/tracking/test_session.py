"""Where the runs of this process are tracked."""

from __future__ import annotations

from mmclf.storage.tracking.session import TrackingLocation, location_of, remember

HERE, THERE = (
    TrackingLocation("sqlite:///a.db", "x", "a"),
    TrackingLocation("sqlite:///b.db", "x", "b"),
)


def test_a_run_is_found_by_the_beginning_of_its_id() -> None:
    remember("feedab1" + "0" * 25, HERE)
    remember("feedab2" + "0" * 25, THERE)
    remember("feedab3" + "0" * 25, HERE)
    assert location_of("feedab1" + "0" * 25) == HERE
    assert location_of("feedab2") == THERE
    assert location_of("feedab") is None  # of two locations
    assert location_of("0" * 32) is None
    assert location_of("") is None
