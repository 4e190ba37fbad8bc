"""Many runs by one command: a sweep under one parent run, or a study with its report."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hydra._internal.hydra import Hydra
from hydra.types import RunMode

from mmclf.cli.job import Job, traceback_wanted
from mmclf.config.compose import Command
from mmclf.config.composer import Composer
from mmclf.config.schema import Config
from mmclf.errors import InputError, UnreachableError
from mmclf.messages import say, tell, unforeseen
from mmclf.pipeline.image_size import check_one_size
from mmclf.pipeline.run_naming import without_passwords
from mmclf.storage import environment
from mmclf.storage.tracking import Tracker
from mmclf.studies.arms import plan_study
from mmclf.studies.report.tables.run_table import write_results
from mmclf.studies.report.words.parent_summary import sweep_tags
from mmclf.studies.run import run_study
from mmclf.training.hardware import describe_device


def run_sweep(hydra: Hydra, composer: Composer, command: Command) -> int:
    """Let Hydra execute a sweep, its results in its parent run; returns the exit status."""
    config = command.first.config
    if config.image.size == "auto":
        check_one_size(_variants(composer))
    tracker = Tracker(
        config.tracking.uri,
        config.tracking.experiment,
        Path(config.output_dir),
        patience_s=config.tracking.patience_s,
    )
    asked = without_passwords(" ".join(composer.overrides))
    tags = {
        "mmclf.overrides": asked,
        "mmclf.hardware": describe_device(config.device),
        "mmclf.versions": environment.versions(),
    }
    parent = tracker.start(f"sweep: {asked}", tags, None)
    try:
        stopped = _multirun(hydra, composer, command, parent.id)
        runs = sorted(tracker.children(parent.id), key=lambda run: run.started_ms)
        with tempfile.TemporaryDirectory() as folder:
            write_results(Path(folder), runs)
            parent.artifacts(Path(folder))
        parent.tags(sweep_tags(parent.id, runs, tracker.experiment_id))
    except UnreachableError as error:
        parent.end("FAILED")
        tell(f"the sweep's results cannot be read: {error}")
        return 1
    except BaseException as error:
        parent.end("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    counts = Counter(run.status for run in runs)
    went_well = stopped is None and counts["FINISHED"] == len(runs)
    parent.end("FINISHED" if went_well else "FAILED")
    if stopped is not None and counts["FAILED"] == 0:
        tell(f"the sweep stopped: {unforeseen(stopped)}")
    listed = ", ".join(f"{count} {status.lower()}" for status, count in sorted(counts.items()))
    say(f"sweep_id: {parent.id}  runs: {listed}")
    if went_well:
        return 0
    return 2 if isinstance(stopped, InputError) and not runs else 1


def _variants(composer: Composer) -> dict[str, Config]:
    """A config for each value that a sweep varies, the others as in its first job."""
    axes, _ = composer.axes(composer.lines)
    variants = {}
    for axis in axes:
        others = [other.lines[0] for other in axes if other is not axis]
        for line in axis.lines if axis.is_sweep else ():
            composed, _ = composer.check(composer.compose([*others, line]))
            if composed is not None:
                variants[line] = composed.config
    return variants


def run_planned_study(
    hydra: Hydra, composer: Composer, command: Command, asked: Sequence[str]
) -> int:
    """Let Hydra execute what a study lacks, and report on it; returns the exit status.

    `asked`: the command as it was given.
    """

    def run_jobs(parent: str) -> Exception | None:
        return _multirun(hydra, composer, command, parent)

    return run_study(plan_study(composer, command), asked, run_jobs)


def _multirun(hydra: Hydra, composer: Composer, command: Command, parent: str) -> Exception | None:
    """Launch the jobs as children of the run `parent`; gives the error that stopped them.

    A study that goes round by round does so again and again.
    """
    cfg, to_parent = command.cfg, f"tracking.parent='{parent}'"
    if cfg.tracking.parent != parent:
        cfg.tracking.parent = parent
        cfg.hydra.overrides.task.append(to_parent)
    overrides = [*composer.overrides, to_parent]
    if cfg.hydra.mode != RunMode.MULTIRUN:
        cfg.hydra.mode = RunMode.MULTIRUN
        cfg.hydra.overrides.hydra.append("hydra.mode=MULTIRUN")
        overrides.append("hydra.mode=MULTIRUN")
    job = Job(composer.grants, traceback_wanted(), composer.loader.config_dir)
    composer.loader.hand_on(cfg, overrides)
    # Hydra raises the first job's error after the last job.
    try:
        hydra.multirun(composer.config_name, job, overrides)
    except Exception as error:
        return error
    return None
