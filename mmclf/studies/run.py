"""Runs a study: its parent run, the missing runs, and its report."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from mmclf.config.schema import Config
from mmclf.errors import InputError, UnreachableError
from mmclf.messages import say, tell, unforeseen
from mmclf.pipeline.run_naming import without_passwords
from mmclf.storage import environment
from mmclf.storage.store.hashing import digest
from mmclf.storage.tracking import RunLog, TrackedRun, Tracker, sqlite_file
from mmclf.studies.arms import PlannedStudy
from mmclf.studies.definition import Definition
from mmclf.studies.design_kinds import differences
from mmclf.studies.fingerprint import StudyFingerprint, study_fingerprint
from mmclf.studies.pending import finished, missing
from mmclf.studies.report.publish import publish
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.show import show
from mmclf.studies.rounds import RunJobs, plan_in_words, plan_of, run_rounds
from mmclf.training.hardware import describe_device

STUDY_TAG, KEY_TAG, LAST_RUN_TAG = "mmclf.study", "mmclf.study_key", "mmclf.study_last_ns"


def run_study(planned: PlannedStudy, words: Sequence[str], run_jobs: RunJobs) -> int:
    """Run the missing runs of a study, and report on it; returns the exit status.

    Raises InputError if the data cannot be read, or another process runs the same study.

    Args:
        planned: the study.
        words: of the command line, for the record.
        run_jobs: runs the missing runs.

    """
    config = planned.base.config
    command = without_passwords(" ".join(["mmclf", *words]))
    folder = study_folder(config, planned.name)
    with _study_lock(config, planned.name):
        fingerprint = study_fingerprint(planned)
        tracker = Tracker(
            config.tracking.uri,
            config.tracking.experiment,
            Path(config.output_dir),
            patience_s=config.tracking.patience_s,
        )
        log = _open_parent(tracker, planned, command, fingerprint)
        definition = study_definition(planned, command, fingerprint.data)
        with tempfile.TemporaryDirectory() as name:
            definition.write(Path(name))
            log.artifacts(Path(name))
        try:
            if definition.plan is None:
                job_error = _run_missing(tracker, planned, log, run_jobs)
            else:
                _print_plan(definition)
                job_error = run_rounds(tracker, definition, log, run_jobs)
            (parent,) = tracker.get([log.id])
            result = collect(tracker, parent)
            _fail_broken_runs(tracker, log.id, result)
            publish(tracker, result, folder, allow=config.allow_targets)
            log.artifacts(folder)
        except UnreachableError as error:
            log.end("FAILED")
            tell(f"the study's results cannot be read: {error}")
            return 1
        except BaseException as error:
            log.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        show(result, Console())
        unfinished = sum(len(arm.failed) + len(arm.missing) for arm in result.arms)
        log.end("FAILED" if unfinished else "FINISHED")
    if job_error is not None:
        tell(f"the study stopped: {unforeseen(job_error)}")
    total = sum(len(arm.runs) + len(arm.failed) + len(arm.missing) for arm in result.arms)
    say(
        f"study_id: {log.id}  runs: {total - unfinished} of {total} finished  "
        f"page: {folder / 'index.html'}"
    )
    return 1 if unfinished else 0


def study_folder(config: Config, name: str) -> Path:
    """The folder of a study's report."""
    return Path(config.output_dir) / "studies" / name


def find_parent(
    tracker: Tracker, planned: PlannedStudy, fingerprint: StudyFingerprint
) -> TrackedRun | None:
    """The most recent parent run of the same arms on the same data, or None."""
    key = _key(planned, fingerprint)
    runs = tracker.tagged(KEY_TAG, key)
    return runs[0] if runs else None


def _key(planned: PlannedStudy, fingerprint: StudyFingerprint) -> str:
    return digest([planned.key, fingerprint.whole])


@contextmanager
def _study_lock(config: Config, name: str) -> Iterator[None]:
    """Hold the study's lock; raises InputError if another process does.

    The lock is beside a sqlite database, as all processes that log to it share its runs.
    """
    database = sqlite_file(config.tracking.uri)
    folder = Path(config.output_dir) if database is None else database.parent
    (folder / "studies").mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "studies" / f".{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        is_default = folder.resolve() == Path(config.output_dir).resolve()
        alternative = (
            "output_dir=DIR" if is_default and database is not None else "tracking.uri=URI"
        )
        raise InputError(
            f"study={name} is being run by another process, which holds {lock.lock_file}: wait for "
            f"it, or give {alternative} for one beside it"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _open_parent(
    tracker: Tracker, planned: PlannedStudy, command: str, fingerprint: StudyFingerprint
) -> RunLog:
    """The study's parent run: the existing one, resumed, or a new one."""
    existing = find_parent(tracker, planned, fingerprint)
    if existing is not None:
        # Only this process holds the study's lock, so no other process continues a running run.
        for run in tracker.children(existing.id):
            if run.status == "RUNNING":
                tracker.log_of(run.id).end("KILLED")
        log = tracker.reopen(existing.id)
        log.tags({LAST_RUN_TAG: str(time.time_ns())})
        return log
    tags = {
        LAST_RUN_TAG: str(time.time_ns()),
        STUDY_TAG: planned.name,
        KEY_TAG: _key(planned, fingerprint),
        "mmclf.overrides": command,
        "mmclf.data_digest": fingerprint.data,
        "mmclf.hardware": describe_device(planned.base.config.device),
        "mmclf.versions": environment.versions(),
    }
    commit = environment.commit()
    tags |= {"mmclf.commit": commit} if commit is not None else {}
    return tracker.start(f"study: {planned.name}", tags, None)


def _fail_broken_runs(tracker: Tracker, parent: str, result: StudyResult) -> None:
    """Mark finished runs with lost artifacts as failed, so that they are run again."""
    finished_ids = {run.id for run in tracker.children(parent) if run.status == "FINISHED"}
    for run in (run for arm in result.arms for run in arm.failed if run.id in finished_ids):
        log = tracker.log_of(run.id)
        log.tags({"mmclf.error": run.tags["mmclf.error"]})
        log.end("FAILED")


def study_definition(planned: PlannedStudy, command: str, data: str) -> Definition:
    """What a study asks, run by this command on the data with this digest."""
    study, design = planned.study, planned.design
    factors: dict[str, list[str]] = {}
    for arm in design.arms:
        for factor, level in arm.levels.items():
            factor_levels = factors.setdefault(factor, [])
            if level not in factor_levels:
                factor_levels.append(level)
    definition = Definition(
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
        margin=study.margin,
    )
    if study.until == "fixed":
        return definition
    if not definition.kind.adds_up:
        # Arms get different numbers of seeds, so that contrasts of many arms are not asked.
        arms = differences(design.arms, design.baseline, (), 0)
        definition = replace(definition, effects=tuple(arms))
    return replace(definition, plan=plan_of(definition, study.max_seeds))


def _print_plan(definition: Definition) -> None:
    for line in plan_in_words(definition):
        tell(line)


def _run_missing(
    tracker: Tracker, planned: PlannedStudy, log: RunLog, run_jobs: RunJobs
) -> Exception | None:
    completed = finished(tracker.children(log.id))
    pending = missing(planned.study, planned.design, completed)
    total = len(planned.design.arms) * len(planned.study.seed_list)
    tell(f"{total} runs, {total - pending} of them done, {pending} to do")
    return run_jobs(log.id) if pending else None
