"""A study's parent run, which all processes of the study share: found, or begun and agreed on."""

from __future__ import annotations

import time

from mmclf.progress import doing
from mmclf.storage import environment
from mmclf.storage.store.hashing import digest
from mmclf.storage.tracking import NOTE, RunLog, TrackedRun, Tracker, sqlite_file
from mmclf.studies.arms import PlannedStudy
from mmclf.studies.cells import end_abandoned_runs, read_cells
from mmclf.studies.fingerprint import StudyFingerprint
from mmclf.studies.report.words.markdown import as_text
from mmclf.studies.run_key import run_key
from mmclf.training.hardware import describe_device

STUDY_TAG, KEY_TAG, LAST_RUN_TAG = "mmclf.study", "mmclf.study_key", "mmclf.study_last_ns"
AGREED_TAG = "mmclf.study_agreed"  # of a parent that stays: others may join it
# After which processes that begin the same study at once on a server have seen each other's
# parents; more where the server takes long to begin one.
SETTLE_S, SETTLE_RATIO = 2.0, 3.0
POLL_S = 1.0  # between two looks at whether another's parent stays
# After which a parent that is neither agreed on nor discarded was left by a process that died, as
# whoever waits for it measures: clocks of machines differ.
LEFT_S = 60.0


def find_parent(
    tracker: Tracker, planned: PlannedStudy, fingerprint: StudyFingerprint
) -> TrackedRun | None:
    """The most recent parent run of the same arms on the same data, or None."""
    runs = tracker.tagged(KEY_TAG, _key(planned, fingerprint))
    return runs[0] if runs else None


def open_parent(
    tracker: Tracker, planned: PlannedStudy, command: str, fingerprint: StudyFingerprint
) -> RunLog:
    """The study's parent run: the existing one, resumed, or a new one.

    Of a database on this machine the study's lock keeps others away meanwhile. On a server several
    that begin at once may each begin a parent. Each waits until it must see the others', keeps its
    own if that has the least id and no other is agreed on, and else discards it; nobody joins a
    parent that may yet be discarded.
    """
    key = _key(planned, fingerprint)
    is_local = sqlite_file(tracker.uri) is not None
    seen: dict[str, float] = {}  # since when, by this process's own clock
    while True:
        parents = tracker.tagged(KEY_TAG, key)
        now = time.monotonic()
        left = {run.id for run in parents if now - seen.setdefault(run.id, now) > LEFT_S}
        stays = next((run for run in parents if is_local or run.id in left or _stays(run)), None)
        if stays is not None:
            return _reopened(tracker, stays)
        if parents:
            with doing("waiting for another process that begins the study"):
                time.sleep(POLL_S)
            continue
        begun = time.monotonic()
        log = _start_parent(tracker, planned, command, fingerprint)
        if not is_local:
            time.sleep(max(SETTLE_S, SETTLE_RATIO * (time.monotonic() - begun)))
        if is_local or _is_chosen(log.id, tracker.tagged(KEY_TAG, key)):
            log.tags({AGREED_TAG: "true"})
            return log
        tracker.discard(log.id)


def _stays(parent: TrackedRun) -> bool:
    """Whether a parent run will not be discarded by the process that began it."""
    return AGREED_TAG in parent.tags or parent.status != "RUNNING"


def _is_chosen(run_id: str, parents: list[TrackedRun]) -> bool:
    """Whether this parent is the one to keep, of all that there are, itself among them."""
    return not any(run.id < run_id or _stays(run) for run in parents if run.id != run_id)


def _key(planned: PlannedStudy, fingerprint: StudyFingerprint) -> str:
    return digest([planned.key, fingerprint.whole])


def _reopened(tracker: Tracker, parent: TrackedRun) -> RunLog:
    """A study's parent run, resumed; runs that a dead process left are marked as killed."""
    running = {run_key(run) for run in tracker.children(parent.id) if run.status == "RUNNING"}
    end_abandoned_runs(tracker, read_cells(tracker, parent.id, running))
    log = tracker.reopen(parent.id)
    log.tags({LAST_RUN_TAG: str(time.time_ns())})
    return log


def _start_parent(
    tracker: Tracker, planned: PlannedStudy, command: str, fingerprint: StudyFingerprint
) -> RunLog:
    tags = {
        LAST_RUN_TAG: str(time.time_ns()),
        STUDY_TAG: planned.name,
        NOTE: as_text(planned.study.question),
        KEY_TAG: _key(planned, fingerprint),
        "mmclf.overrides": command,
        "mmclf.data_digest": fingerprint.data,
        "mmclf.hardware": describe_device(planned.base.config.device),
        "mmclf.versions": environment.versions(),
    }
    return tracker.start(f"study: {planned.name}", tags, None)
