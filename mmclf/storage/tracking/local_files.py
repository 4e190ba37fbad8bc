"""Files of runs whose artifacts lie in this file system, where they are: MLflow would copy each.

A copy takes a folder and a thread of its own, which of thousands of runs is most of the time.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from mlflow.utils.file_utils import local_file_uri_to_path

from mmclf.storage.tracking.tracked_run import TrackedRun
from mmclf.storage.tracking.tracker import Tracker


def fetched_file(tracker: Tracker, run: TrackedRun, name: str, folder: Path) -> Path:
    """The artifact `name` of a run, a file, to be read alone: in its place, or a copy in `folder`.

    Raises InputError and ArtifactError as `Tracker.fetch`.
    """
    own = _in_place(run, name)
    return own if own is not None else tracker.fetch(run, name, folder)


def _in_place(run: TrackedRun, name: str) -> Path | None:
    """Where the file lies; None where it is not in this file system, or not there."""
    address = urlsplit(run.artifact_uri)
    if address.scheme not in ("", "file") or address.netloc not in ("", "localhost"):
        return None
    root = Path(local_file_uri_to_path(run.artifact_uri))
    path = root / name
    return path if root.is_absolute() and path.is_file() else None
