"""A study from its parent run to its report; what has been run before is not run again."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from mmclf import devices, hardware
from mmclf.config.schema import Config
from mmclf.config.targets import build
from mmclf.data.samples import Samples
from mmclf.errors import InputError
from mmclf.keys import data_digest
from mmclf.names import without_passwords
from mmclf.report.collect import collect
from mmclf.report.publish import publish
from mmclf.report.show import show
from mmclf.store.digests import digest, texts_digest
from mmclf.store.sums import FileSums
from mmclf.study.arms import PlannedStudy
from mmclf.study.definition import Definition
from mmclf.study.missing import finished, missing
from mmclf.tracking import RunLog, TrackedRun, Tracker

KIND, KEY = "mmclf.study", "mmclf.study_key"

# Runs what the run with this id lacks; returns the error that stopped it, if one did.
HandOver = Callable[[str], Exception | None]


def conduct(planned: PlannedStudy, asked: Sequence[str], hand_over: HandOver) -> int:
    """Run what the study lacks and report on it; returns the exit status.

    Raises InputError if the data cannot be read, or the same study is being run by another process.
    """
    config = planned.base.config
    command = without_passwords(" ".join(["mmclf", *asked]))
    folder = study_folder(config, planned.name)
    with _alone(folder):
        data = data_key(planned)
        tracker = Tracker(config.tracking.uri, config.tracking.experiment, Path(config.output_dir))
        log = _parent(tracker, planned, command, data)
        definition = _definition(planned, command, data)
        with tempfile.TemporaryDirectory() as name:
            definition.write(Path(name))
            log.artifacts(Path(name))
        try:
            stopped = _run_missing(tracker, planned, log, hand_over)
            (parent,) = tracker.get([log.id])
            findings = collect(tracker, parent)
            publish(tracker, findings, folder)
            log.artifacts(folder)
        except BaseException as error:
            log.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
            raise
        show(findings, Console())
        lacking = sum(len(arm.failed) + len(arm.missing) for arm in findings.arms)
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


def data_key(planned: PlannedStudy) -> str:
    """A digest of the data: ids, captions, labels, and the images if an arm looks at them."""
    config = planned.base.config
    samples: Samples = build(config.data.part, "data", config.allow_targets)
    key = data_digest(samples)
    if all(arm.config.vision.is_none for arm in planned.arms):
        return key
    sums = FileSums(Path(config.store.dir) / "sums").of(samples.images)
    return digest([key, texts_digest([one if one is not None else "" for one in sums])])


def known_parent(tracker: Tracker, planned: PlannedStudy, data: str) -> TrackedRun | None:
    """The parent run of the same arms on the same data, the latest if there are several."""
    key = _key(planned, data)
    runs = tracker.tagged(KEY, key)
    return runs[0] if runs else None


def _key(planned: PlannedStudy, data: str) -> str:
    return digest([planned.key, data])


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the study's lock; raises InputError if another process does."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / f".{folder.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"study={folder.name} is being run by another process, which holds "
            f"{lock.lock_file}: wait for it, or give output_dir=DIR for one beside it"
        ) from error
    try:
        yield
    finally:
        lock.release()


def _parent(tracker: Tracker, planned: PlannedStudy, command: str, data: str) -> RunLog:
    """The study's parent run: the one that was begun before, or a new one."""
    before = known_parent(tracker, planned, data)
    if before is not None:
        # No process but this one holds the study's lock: what still runs has lost its process.
        for run in tracker.children(before.id):
            if run.status == "RUNNING":
                tracker.log_of(run.id).end("KILLED")
        return tracker.reopen(before.id)
    tags = {
        KIND: planned.name,
        KEY: _key(planned, data),
        "mmclf.overrides": command,
        "mmclf.data_digest": data,
        "mmclf.hardware": devices.named(planned.base.config.device),
        "mmclf.versions": hardware.versions(),
    }
    commit = hardware.commit()
    tags |= {"mmclf.commit": commit} if commit is not None else {}
    return tracker.start(f"study: {planned.name}", tags, None)


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
    tracker: Tracker, planned: PlannedStudy, log: RunLog, hand_over: HandOver
) -> Exception | None:
    done = finished(tracker.children(log.id))
    left = missing(planned.study, planned.design, done)
    total = len(planned.design.arms) * len(planned.study.seed_list)
    sys.stderr.write(f"mmclf: {total} runs, {total - left} of them done, {left} to do\n")
    return hand_over(log.id) if left else None
