"""Runs a study: its parent run, the missing runs, and its report."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock
from rich.console import Console

from mmclf.config.schema import Config
from mmclf.errors import UnreachableError, say, tell, unforeseen
from mmclf.pipeline.run_naming import without_passwords
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.progress import doing
from mmclf.storage.process_identity import this_process
from mmclf.storage.tracking import RunLog, Tracker, dead_runs, sqlite_file
from mmclf.studies.arms import PlannedStudy
from mmclf.studies.cells import RunJobs, read_cells, run_cells
from mmclf.studies.definition import Definition
from mmclf.studies.fingerprint import StudyFingerprint, study_fingerprint
from mmclf.studies.parent import open_parent
from mmclf.studies.report.publish import publish
from mmclf.studies.report.result.collect import collect
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.show import show
from mmclf.studies.report.words.parent_summary import study_tags
from mmclf.studies.rounds import plan_in_words, plan_of, run_rounds
from mmclf.studies.run_key import RunKey


def run_study(planned: PlannedStudy, words: Sequence[str], run_jobs: RunJobs) -> int:
    """Run the missing runs of a study, and report on it; returns the exit status.

    Other processes may run the same study meanwhile; then each runs what no other is at. Raises
    InputError if the data cannot be read.

    Args:
        planned: the study.
        words: of the command line, for the record.
        run_jobs: runs the missing runs.

    """
    config = planned.base.config
    command = without_passwords(" ".join(["mmclf", *words]))
    folder = study_folder(config, planned.name)
    with doing("looking at what the study reads"):
        fingerprint = study_fingerprint(planned)
    tracker, log, definition = _begin(planned, command, fingerprint)
    try:
        if definition.plan is None:
            job_error = _run_missing(tracker, planned, log, run_jobs)
        else:
            _print_plan(definition)
            job_error = run_rounds(tracker, definition, log, run_jobs)
        with doing("comparing the arms") as now:
            (parent,) = tracker.get([log.id])
            result = collect(tracker, parent)
            _fail_broken_runs(tracker, result)
            now("writing the page")
            with _study_lock(config, planned.name):
                publish(tracker, result, folder, allow=config.allow_targets)
            log.artifacts(folder)
            log.tags(study_tags(result, tracker.experiment_id))
    except UnreachableError as error:
        log.end("FAILED")
        tell(f"the study's results cannot be read: {error}")
        return 1
    except BaseException as error:
        if not _others_run(tracker, log.id):
            log.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        if isinstance(error, KeyboardInterrupt):
            tell("the same command runs what is missing, and nothing else")
        raise
    show(result, Console())
    return _end(log, result, job_error, folder)


def _begin(
    planned: PlannedStudy, command: str, fingerprint: StudyFingerprint
) -> tuple[Tracker, RunLog, Definition]:
    """The study's parent run, opened, with its definition among its artifacts."""
    config = planned.base.config
    with _study_lock(config, planned.name):
        tracker = tracker_of(config, create=True)
        dead_runs.end_dead_runs(tracker)
        log = open_parent(tracker, planned, command, fingerprint)
        definition = study_definition(planned, command, fingerprint.data)
        with tempfile.TemporaryDirectory() as name:
            definition.write(Path(name))
            log.artifacts(Path(name))
    return tracker, log, definition


def _end(log: RunLog, result: StudyResult, job_error: Exception | None, folder: Path) -> int:
    """End the parent run, and say what came of the study; returns the exit status."""
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


@contextmanager
def _study_lock(config: Config, name: str) -> Iterator[None]:
    """Hold the study's lock, which is for moments: its beginning, and the writing of its report.

    It is beside a sqlite database, as all processes that log to it share its runs.
    """
    database = sqlite_file(config.tracking.uri)
    folder = Path(config.output_dir) if database is None else database.parent
    (folder / "studies").mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "studies" / f".{name}.lock"):
        yield


def _others_run(tracker: Tracker, parent: str) -> bool:
    """Whether other processes are known to go on with the study; False if that cannot be read."""
    try:
        attempts = tracker.leases(parent).attempts().values()
    except UnreachableError:
        return False
    return any(
        of.end is None and of.owner != this_process() and not of.owner_is_gone for of in attempts
    )


def _fail_broken_runs(tracker: Tracker, result: StudyResult) -> None:
    """Mark finished runs with lost artifacts as failed, so that they are run again."""
    failed = [run for arm in result.arms for run in arm.failed]
    as_tracked = tracker.get([run.id for run in failed])
    finished_ids = {run.id for run in as_tracked if run.status == "FINISHED"}
    for run in (run for run in failed if run.id in finished_ids):
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
    return replace(definition, plan=plan_of(definition, study.max_seeds))


def _print_plan(definition: Definition) -> None:
    for line in plan_in_words(definition):
        tell(line)


def _run_missing(
    tracker: Tracker, planned: PlannedStudy, log: RunLog, run_jobs: RunJobs
) -> Exception | None:
    arms, seeds = planned.design.arms, planned.study.seed_list
    wanted = {RunKey(arm.name, seed) for arm in arms for seed in seeds}
    done = len(read_cells(tracker, log.id, wanted).done)
    tell(f"{len(wanted)} runs, {done} of them done, {len(wanted) - done} to do")
    return run_cells(tracker, log.id, wanted, run_jobs)
