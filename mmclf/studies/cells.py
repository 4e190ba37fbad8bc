"""The cells of a study, an arm with a seed each: which are done or taken, and running the rest.

Several processes may run one study, here or on other machines. Each job takes its cell before it
begins, and leaves one that another is at (`storage.tracking.leases`); a command goes on until all
cells are done, and takes over those whose process is dead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mmclf.config.schema import Config
from mmclf.errors import tell
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.storage.tracking.leases import LEASE_TAG, STALE_S, Attempt, Lease, Watch, cell_of
from mmclf.studies.pending import finished
from mmclf.studies.run_key import ARM_TAG, SEED_TAG, RunKey, run_key

# Runs what is missing below the parent run with this id, so many runs; returns the error that ended
# it, if any.
RunJobs = Callable[[Tracker, str, int], Exception | None]

POLL_S = 2.0
# Of a study of very many cells a look takes long itself, which the runs need.
PAUSES_A_LOOK, LONGEST_PAUSE_S = 10.0, 15.0
# At a cell while a command goes on: what kills each process that tries it is left.
MOST_ATTEMPTS = 3


@dataclass(frozen=True)
class Cells:
    """Some cells of a study as they are at one moment.

    Args:
        done: those with a finished run.
        held: those that a process is at.
        free: the others.
        attempts: the latest at each that anybody has begun.
        runs: all runs of the study, or of the cells that were read.

    """

    done: frozenset[RunKey]
    held: frozenset[RunKey]
    free: frozenset[RunKey]
    attempts: Mapping[RunKey, Attempt]
    runs: Sequence[TrackedRun]

    def attempt(self, key: RunKey) -> int:
        """How many attempts at a cell have begun."""
        return self.attempts[key].number if key in self.attempts else 0


def read_cells(
    tracker: Tracker, parent: str, wanted: Collection[RunKey], dead: Collection[Attempt] = ()
) -> Cells:
    """The wanted cells of the study with this parent run; the `dead` attempts hold nothing."""
    # In this order: a cell that is free by its attempts has no run that finished after them.
    by_name = tracker.leases(parent).attempts()
    return _sorted_cells(wanted, by_name, tracker.children(parent), dead)


def _read_cell(tracker: Tracker, parent: str, key: RunKey) -> Cells:
    """One cell of the study with this parent run; of the others no run is read."""
    name = cell_of(*key)
    latest = tracker.leases(parent).latest(name)
    runs = _runs_of(tracker, parent, key)
    return _sorted_cells([key], {name: latest} if latest is not None else {}, runs)


def _read_held(tracker: Tracker, parent: str, before: Cells, dead: Collection[Attempt]) -> Cells:
    """The cells as they are now, of which those that were held alone are read.

    The others are done, or wait for a command; so a look costs as much as there are processes.
    """
    by_name = tracker.leases(parent).attempts()
    runs = [run for key in sorted(before.held) for run in _runs_of(tracker, parent, key)]
    now = _sorted_cells(before.held, by_name, runs, dead)
    attempts = {**before.attempts, **now.attempts}
    return Cells(before.done | now.done, now.held, before.free | now.free, attempts, runs)


def _runs_of(tracker: Tracker, parent: str, key: RunKey) -> list[TrackedRun]:
    return tracker.children(parent, {ARM_TAG: key.arm, SEED_TAG: str(key.seed)})


def _sorted_cells(
    wanted: Collection[RunKey],
    by_name: Mapping[str, Attempt],
    runs: Sequence[TrackedRun],
    dead: Collection[Attempt] = (),
) -> Cells:
    """The wanted cells by their latest attempts and the runs that were read after these."""
    attempts = {key: by_name[name] for key in wanted if (name := cell_of(*key)) in by_name}
    going = {run.tags.get(LEASE_TAG) for run in runs if run.status == "RUNNING"}
    ended = finished(runs)
    done = frozenset(key for key in wanted if key in ended)
    held = frozenset(
        key
        for key, attempt in attempts.items()
        if key not in done
        and attempt not in dead
        and not attempt.owner_is_gone
        and (attempt.end is None or (attempt.end == "done" and attempt.name in going))
    )
    return Cells(done, held, frozenset(wanted) - done - held, attempts, runs)


@dataclass(frozen=True)
class Claim:
    """What a job found when it began: its lease, or that its cell is done or held elsewhere."""

    lease: Lease | None
    is_elsewhere: bool


def claim(config: Config) -> Claim:
    """Take the cell of a study that a job is of; a run of no study needs none."""
    tracking = config.tracking
    if tracking.parent is None or tracking.arm is None:
        return Claim(None, is_elsewhere=False)
    tracker = tracker_of(config)
    return claim_cell(tracker, tracking.parent, RunKey(tracking.arm, config.seed))


def claim_cell(tracker: Tracker, parent: str, key: RunKey) -> Claim:
    """Take a cell of the study with this parent run, unless it is done or held."""
    cells = _read_cell(tracker, parent, key)
    if key not in cells.free:
        return Claim(None, is_elsewhere=True)
    lease = tracker.leases(parent).take(cell_of(*key), cells.attempts.get(key))
    return Claim(lease, is_elsewhere=lease is None)


def end_abandoned_runs(tracker: Tracker, cells: Cells) -> None:
    """Mark as killed the running runs of cells that nobody is at."""
    for run in cells.runs:
        if run.status == "RUNNING" and run_key(run) in cells.free | cells.done:
            tracker.log_of(run.id).end("KILLED")


def run_cells(
    tracker: Tracker, parent: str, wanted: Collection[RunKey], run_jobs: RunJobs
) -> Exception | None:
    """Run the wanted cells that are free, and wait for those that other processes are at.

    Whose process is found dead becomes free. Each is tried once, or again if its process died.
    Returns the first error of the jobs.
    """
    watch, errors, waited, look = Watch(STALE_S), list[Exception](), 0.0, 0.0
    began, started = read_cells(tracker, parent, wanted), time.monotonic()
    cells, left = began, set[RunKey]()
    while True:
        if cells.free - left:
            before = cells
            error = run_jobs(tracker, parent, len(cells.free - left))
            errors += [error] if error is not None else []
            cells = read_cells(tracker, parent, wanted)
            left |= set(_failed(began, before, cells))
        elif cells.held:
            pause = min(max(POLL_S, PAUSES_A_LOOK * look), LONGEST_PAUSE_S)
            time.sleep(pause)
            waited, looked = waited + pause, time.monotonic()
            cells = _wait(tracker, parent, cells, watch)
            look = time.monotonic() - looked
            if not cells.held and not cells.free - left:
                # Others may have begun meanwhile what failed here.
                cells = read_cells(tracker, parent, wanted)
        else:
            break
    if waited > 0.0:
        share = waited / (time.monotonic() - started)
        tell(f"waited {waited:.0f} s ({share:.0%} of the time) for runs of other processes")
    return errors[0] if errors else None


def _wait(tracker: Tracker, parent: str, cells: Cells, watch: Watch) -> Cells:
    """The cells after a look at those that are held; whose process is dead are free."""
    held = [cells.attempts[key] for key in cells.held]
    dead = watch.dead(held, time.monotonic())
    leases = tracker.leases(parent)
    for attempt in dead:
        leases.end(attempt.cell, attempt.number, "revoked")
    after = _read_held(tracker, parent, cells, dead)
    end_abandoned_runs(tracker, after)
    return after


def _failed(began: Cells, before: Cells, after: Cells) -> Iterator[RunKey]:
    """The cells that were free and are so still, though they were tried, or could not be."""
    for key in before.free & after.free:
        attempt = after.attempts.get(key)
        if (
            attempt is None
            or attempt.number == before.attempt(key)
            or attempt.end == "failed"
            or attempt.number - began.attempt(key) >= MOST_ATTEMPTS
        ):
            yield key
