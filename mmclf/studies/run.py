"""A study from its parent run to its report; what has been run before is not run again."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from mmclf.config.schema import Config
from mmclf.errors import InputError
from mmclf.pipeline.run_naming import without_passwords
from mmclf.storage import environment
from mmclf.storage.store.hashing import digest
from mmclf.storage.tracking import RunLog, TrackedRun, Tracker, sqlite_file
from mmclf.studies.arms import PlannedStudy
from mmclf.studies.definition import Definition
from mmclf.studies.fingerprint import StudyFingerprint, study_fingerprint
from mmclf.studies.pending import finished, missing
from mmclf.studies.report.collect import collect
from mmclf.studies.report.publish import publish
from mmclf.studies.report.results import StudyResult
from mmclf.studies.report.show import show
from mmclf.training.device import describe_device

KIND, KEY, LAST = "mmclf.study", "mmclf.study_key", "mmclf.study_last_ns"

# Runs what the run with this id lacks; returns the error that stopped it, if one did.
RunJobs = Callable[[str], Exception | None]


def run_study(planned: PlannedStudy, asked: Sequence[str], run_jobs: RunJobs) -> int:
    """Run what the study lacks and report on it; returns the exit status.

    Raises InputError if the data cannot be read, or the same study is being run by another process.
    """
    config = planned.base.config
    command = without_passwords(" ".join(["mmclf", *asked]))
    folder = study_folder(config, planned.name)
    with _alone(config, planned.name):
        fingerprint = study_fingerprint(planned)
        tracker = Tracker(config.tracking.uri, config.tracking.experiment, Path(config.output_dir))
        log = _parent(tracker, planned, command, fingerprint)
        definition = _definition(planned, command, fingerprint.data)
        with tempfile.TemporaryDirectory() as name:
            definition.write(Path(name))
            log.artifacts(Path(name))
        try:
            stopped = _run_missing(tracker, planned, log, run_jobs)
            (parent,) = tracker.get([log.id])
            result = collect(tracker, parent)
            _give_up_broken(tracker, log.id, result)
            publish(tracker, result, folder)
            log.artifacts(folder)
        except BaseException as error:
            log.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        show(result, Console())
        lacking = sum(len(arm.failed) + len(arm.missing) for arm in result.arms)
        log.end("FAILED" if lacking else "FINISHED")
    if stopped is not None:
        sys.stderr.write(f"mmclf: the study stopped: {type(stopped).__name__}: {stopped}\n")
    total = len(definition.arms) * len(definition.seeds)
    sys.stdout.write(
        f"study_id: {log.id}  runs: {total - lacking} of {total} finished  "
        f"page: {folder / 'index.html'}\n"
    )
    return 1 if lacking else 0


def study_folder(config: Config, name: str) -> Path:
    """Where the report of a study lies."""
    return Path(config.output_dir) / "studies" / name


def known_parent(
    tracker: Tracker, planned: PlannedStudy, fingerprint: StudyFingerprint
) -> TrackedRun | None:
    """The parent run of the same arms on the same data, the latest if there are several."""
    key = _key(planned, fingerprint)
    runs = tracker.tagged(KEY, key)
    return runs[0] if runs else None


def _key(planned: PlannedStudy, fingerprint: StudyFingerprint) -> str:
    return digest([planned.key, fingerprint.whole])


@contextmanager
def _alone(config: Config, name: str) -> Iterator[None]:
    """Hold the study's lock; raises InputError if another process does.

    It lies beside a sqlite database, as all that log to it share its runs.
    """
    database = sqlite_file(config.tracking.uri)
    place = Path(config.output_dir) if database is None else database.parent
    (place / "studies").mkdir(parents=True, exist_ok=True)
    lock = FileLock(place / "studies" / f".{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        is_default = place.resolve() == Path(config.output_dir).resolve()
        other = "output_dir=DIR" if is_default and database is not None else "tracking.uri=URI"
        raise InputError(
            f"study={name} is being run by another process, which holds {lock.lock_file}: wait for "
            f"it, or give {other} for one beside it"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _parent(
    tracker: Tracker, planned: PlannedStudy, command: str, fingerprint: StudyFingerprint
) -> RunLog:
    """The study's parent run: the one that was begun before, or a new one."""
    before = known_parent(tracker, planned, fingerprint)
    if before is not None:
        # No process but this one holds the study's lock: what still runs has lost its process.
        for run in tracker.children(before.id):
            if run.status == "RUNNING":
                tracker.log_of(run.id).end("KILLED")
        log = tracker.reopen(before.id)
        log.tags({LAST: str(time.time_ns())})
        return log
    tags = {
        LAST: str(time.time_ns()),
        KIND: planned.name,
        KEY: _key(planned, fingerprint),
        "mmclf.overrides": command,
        "mmclf.data_digest": fingerprint.data,
        "mmclf.hardware": describe_device(planned.base.config.device),
        "mmclf.versions": environment.versions(),
    }
    commit = environment.commit()
    tags |= {"mmclf.commit": commit} if commit is not None else {}
    return tracker.start(f"study: {planned.name}", tags, None)


def _give_up_broken(tracker: Tracker, parent: str, result: StudyResult) -> None:
    """End the finished runs as failed whose artifacts are lost, lest they count as done."""
    finished_ids = {run.id for run in tracker.children(parent) if run.status == "FINISHED"}
    for run in (run for arm in result.arms for run in arm.failed if run.id in finished_ids):
        log = tracker.log_of(run.id)
        log.tags({"mmclf.error": run.tags["mmclf.error"]})
        log.end("FAILED")


def _definition(planned: PlannedStudy, command: str, data: str) -> Definition:
    study, design = planned.study, planned.design
    factors: dict[str, list[str]] = {}
    for arm in design.arms:
        for factor, level in arm.levels.items():
            known = factors.setdefault(factor, [])
            if level not in known:
                known.append(level)
    return Definition(
        name=planned.name,
        question=study.question,
        design=study.design,
        metric=study.metric,
        baseline=design.baseline,
        seeds=study.seed_list,
        factors=factors,
        arms=design.arms,
        effects=design.effects,
        command=command,
        data=data,
    )


def _run_missing(
    tracker: Tracker, planned: PlannedStudy, log: RunLog, run_jobs: RunJobs
) -> Exception | None:
    done = finished(tracker.children(log.id))
    left = missing(planned.study, planned.design, done)
    total = len(planned.design.arms) * len(planned.study.seed_list)
    sys.stderr.write(f"mmclf: {total} runs, {total - left} of them done, {left} to do\n")
    return run_jobs(log.id) if left else None
