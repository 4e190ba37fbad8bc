"""The start of a run in MLflow: its name and tags, and the run of a job that was begun again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from mmclf.config.schema import Composed, Config
from mmclf.errors import InputError
from mmclf.pipeline import run_naming
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.storage import environment
from mmclf.storage.batch_job import JOB_TAG, BatchJob, batch_job
from mmclf.storage.process_identity import this_process
from mmclf.storage.tracking import RunLog, Tracker
from mmclf.storage.tracking.dead_runs import PROCESS_TAG
from mmclf.storage.tracking.leases import LEASE_TAG, Lease

Start = Callable[[], AbstractContextManager[RunLog]]


def run_starter(composed: Composed, hardware: str, lease: Lease | None) -> Start:
    """A function that starts the tracked run, named by its arm if it belongs to a study."""
    config, choices, overrides = composed.config, composed.choices, composed.overrides
    arm, seed = config.tracking.arm, config.seed
    name = run_naming.study_run_name(arm, seed) if arm is not None else None
    facts = {"hardware": hardware, "versions": environment.versions()}
    tracker = tracker_of(config, create=True)
    job, parent = batch_job(), config.tracking.parent
    again = _earlier(tracker, parent, job) if job is not None and job.restarts > 0 else None
    return partial(
        tracker.run,
        name if name is not None else run_naming.run_name(choices, overrides),
        run_naming.run_tags(
            choices, arm if arm is not None else run_naming.arm_name(overrides), seed, facts
        )
        | ({LEASE_TAG: lease.name} if lease is not None else {})
        | (job.tags if job is not None else {})
        | {PROCESS_TAG: this_process()},
        parent,
        again,
        measured=config.tracking.system_metrics,
    )


def _earlier(tracker: Tracker, parent: str | None, job: BatchJob) -> str | None:
    """The run that a job which was requeued began before, if it did."""
    runs = tracker.children(parent) if parent is not None else tracker.tagged(JOB_TAG, job.name)
    return next(
        (run.id for run in runs if run.tags.get(JOB_TAG) == job.name and run.status != "FINISHED"),
        None,
    )


@contextmanager
def track_early_failures(config: Config, start: Start) -> Iterator[None]:
    """Register a FAILED run for an error in the block, before the run's start.

    Except for a single run with invalid input, which is not registered.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, InputError) and config.tracking.parent is None:
            raise
        with start():
            raise
