"""A test's own database of runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tracked_runs import tracker_in

from mmclf.storage.tracking import Tracker


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    return tracker_in(tmp_path)
