"""Runs whose process ended without a word, as after a SIGKILL, are marked as killed.

Each run, and each sweep's parent, has its process in a tag. Whether that process is gone is known
of this machine alone (`storage.process_identity`); runs of others stay as they are, and those of a
batch system's job too, which may be begun again and then goes on with its run.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mlflow.entities import ViewType

from mmclf.errors import InputError, tell
from mmclf.storage.batch_job import JOB_TAG
from mmclf.storage.process_identity import is_gone
from mmclf.storage.tracking.database import ask
from mmclf.storage.tracking.tracked_run import TrackedRun, tracked_run
from mmclf.storage.tracking.tracker import Tracker

PROCESS_TAG = "mmclf.process"
MOST = 1_000  # runs that are looked at, the latest ones


def end_dead_runs(tracker: Tracker, notify: Callable[[str], None] = tell) -> list[TrackedRun]:
    """Mark as killed the running runs whose process is gone; gives them as they were.

    Where that cannot be read or written, as the database may be another's, nothing happens.
    """
    try:
        dead = [run for run in _running(tracker) if _is_dead(run)]
        for run in dead:
            tracker.log_of(run.id).end("KILLED")
    except InputError:
        return []
    if dead:
        notify(f"marked as killed, as their processes are gone: {_listed(dead)}")
    return dead


def _running(tracker: Tracker) -> list[TrackedRun]:
    search = partial(
        tracker.client.search_runs,
        [tracker.experiment_id],
        filter_string="attributes.status = 'RUNNING'",
        run_view_type=ViewType.ACTIVE_ONLY,
        max_results=MOST,
        order_by=["attributes.start_time DESC"],
    )
    return [tracked_run(run) for run in ask(tracker.uri, search)]


def _is_dead(run: TrackedRun) -> bool:
    return JOB_TAG not in run.tags and is_gone(run.tags.get(PROCESS_TAG, ""))


def _listed(runs: list[TrackedRun]) -> str:
    names = [f"{run.id[:8]} ({run.name})" for run in runs[:3]]
    more = f" and {len(runs) - 3} more" if len(runs) > 3 else ""
    return ", ".join(names) + more
