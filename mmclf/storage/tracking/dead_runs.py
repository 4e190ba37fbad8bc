"""Runs whose process ended without a word, as after a SIGKILL, are marked as killed.

Each run, and each sweep's parent, has its process in a tag. Whether that process is gone is known
of this machine alone (`storage.process_identity`); runs of others stay as they are, and those of a
batch system's job too, which may be begun again and then goes on with its run.
"""

from __future__ import annotations

from collections.abc import Callable

from mmclf.errors import InputError, tell
from mmclf.storage.batch_job import JOB_TAG
from mmclf.storage.process_identity import is_gone
from mmclf.storage.tracking.search import search_runs
from mmclf.storage.tracking.tracked_run import TrackedRun
from mmclf.storage.tracking.tracker import Tracker

PROCESS_TAG = "mmclf.process"
RUNNING = "attributes.status = 'RUNNING'"


def end_dead_runs(tracker: Tracker, notify: Callable[[str], None] = tell) -> list[TrackedRun]:
    """Mark as killed the running runs whose process is gone; gives them as they were.

    Where that cannot be read or written, as the database may be another's, nothing happens.
    """
    try:
        running = search_runs(tracker.client, tracker.uri, tracker.experiment_id, RUNNING)
        dead = [run for run in running if _is_dead(run)]
        for run in dead:
            tracker.log_of(run.id).end("KILLED")
    except InputError:
        return []
    if dead:
        notify(f"marked as killed, as their processes are gone: {_listed(dead)}")
    return dead


def _is_dead(run: TrackedRun) -> bool:
    return JOB_TAG not in run.tags and is_gone(run.tags.get(PROCESS_TAG, ""))


def _listed(runs: list[TrackedRun]) -> str:
    names = [f"{run.id[:8]} ({run.name})" for run in runs[:3]]
    more = f" and {len(runs) - 3} more" if len(runs) > 3 else ""
    return ", ".join(names) + more
