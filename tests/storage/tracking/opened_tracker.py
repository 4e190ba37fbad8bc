"""A tracker on a database of a test's own."""

from __future__ import annotations

from pathlib import Path

from mmclf.storage.tracking import Tracker


def open_tracker(folder: Path) -> Tracker:
    """The experiment `study` in a database in `folder`, both made if missing."""
    return Tracker(f"sqlite:///{folder / 'mlflow.db'}", "study", folder)
