"""Many runs by one command: a sweep under one parent run, or a study with its report."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hydra._internal.hydra import Hydra
from hydra.types import RunMode
from rich.console import Console

from mmclf.cli.job import SweepJob
from mmclf.cli.run_names import RunNames, sweep_names
from mmclf.cli.summary import next_lines, open_ui, place_words
from mmclf.cli.sweep_lines import SweepLines, watched
from mmclf.config.compose import Command
from mmclf.config.composer import Composer
from mmclf.config.hydra_policy import IN_THIS_PROCESS
from mmclf.config.schema import Config
from mmclf.errors import InputError, UnreachableError, say, tell, unforeseen
from mmclf.pipeline.image_size import check_one_size
from mmclf.pipeline.run_naming import without_passwords
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.storage import environment
from mmclf.storage.batch_job import JOB_TAG, is_in_queue
from mmclf.storage.process_identity import this_process
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.dead_runs import PROCESS_TAG, end_dead_runs
from mmclf.studies.arms import plan_study
from mmclf.studies.report.show import show_arms
from mmclf.studies.report.tables.run_table import write_results
from mmclf.studies.report.words.parent_summary import sweep_tags
from mmclf.studies.run import run_study
from mmclf.training.hardware import describe_device

if TYPE_CHECKING:
    from mmclf.training.distributed.world import World

QUEUE_S = 5.0  # between two looks at a batch system's queue


def run_sweep(
    hydra: Hydra, composer: Composer, command: Command, world: World | None = None
) -> int:
    """Let Hydra execute a sweep, its results in its parent run; returns the exit status."""
    config = command.first.config
    if config.image.size == "auto":
        check_one_size(_variants(composer))
    tracker = tracker_of(config, create=True)
    asked = without_passwords(" ".join(composer.overrides))
    tags = {
        "mmclf.overrides": asked,
        "mmclf.hardware": describe_device(config.device),
        "mmclf.versions": environment.versions(),
        PROCESS_TAG: this_process(),
    }
    end_dead_runs(tracker)
    parent = tracker.start(f"sweep: {asked}", tags, None)
    names = sweep_names(command.axes)
    lines = SweepLines(
        prod(len(axis.lines) for axis in command.axes),
        len(" ".join(max(axis.lines, key=len) for axis in command.axes)),
    )
    launched = Launched(hydra, composer, command, names, world)
    try:
        errors = launched.run(tracker, parent.id, lines)
        _end_lost_runs(tracker, parent.id)
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
        if isinstance(error, KeyboardInterrupt):
            tell(f"{lines.state()}: {_report_command(config)} shows them")
        raise
    counts = Counter(run.status for run in runs)
    went_well = errors.first is None and counts["FINISHED"] == len(runs)
    parent.end("FINISHED" if went_well else "FAILED")
    if errors.of_launch is not None and counts["FAILED"] == 0:
        tell(f"the sweep stopped: {unforeseen(errors.of_launch)}")
    show_arms(runs, names.arm_of_run, Console())
    for line in next_lines(_report_command(config), open_ui(config)):
        say(line)
    listed = ", ".join(f"{count} {status.lower()}" for status, count in sorted(counts.items()))
    say(f"sweep_id: {parent.id}  runs: {listed}")
    if went_well:
        return 0
    return 2 if isinstance(errors.first, InputError) and not runs else 1


def _end_lost_runs(tracker: Tracker, parent: str) -> None:
    """Mark as killed the runs whose jobs ended without a word, after those that go on.

    A launcher of a batch system gives up at the first job that was cancelled.
    """
    while running := [run for run in tracker.children(parent) if run.status == "RUNNING"]:
        jobs = {run.tags.get(JOB_TAG, "") for run in running}
        queued = {job for job in jobs if job and is_in_queue(job)}
        for run in running:
            if run.tags.get(JOB_TAG) not in queued:
                tracker.log_of(run.id).end("KILLED")
        if queued:
            time.sleep(QUEUE_S)


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
    hydra: Hydra,
    composer: Composer,
    command: Command,
    asked: Sequence[str],
    world: World | None = None,
) -> int:
    """Let Hydra execute what a study lacks, and report on it; returns the exit status.

    `asked`: the command as it was given.
    """
    launched = Launched(hydra, composer, command, RunNames(in_study=True), world)
    planned = plan_study(composer, command)
    widest = max(len(f"{arm.name} seed=00") for arm in planned.design.arms)

    def run_jobs(tracker: Tracker, parent: str, count: int) -> Exception | None:
        lines = SweepLines(count, widest, planned.study.metric)
        return launched.run(tracker, parent, lines).of_launch

    return run_study(planned, asked, run_jobs)


def _report_command(config: Config) -> str:
    return " ".join(["mmclf report", *place_words(config)])


class JobErrors(NamedTuple):
    """What went wrong with the jobs of a launch.

    Args:
        of_job: the first of a job in this process, which has been printed.
        of_launch: what ended the launch, or the first of a job in another process.

    """

    of_job: Exception | None
    of_launch: Exception | None

    @property
    def first(self) -> Exception | None:
        """The one that the command's exit status is of."""
        return self.of_job if self.of_job is not None else self.of_launch


@dataclass(frozen=True)
class Launched:
    """The jobs of a command, whose runs have these `names`; in a `world` all share each of them."""

    hydra: Hydra
    composer: Composer
    command: Command
    names: RunNames
    world: World | None = None

    def run(self, tracker: Tracker, parent: str, lines: SweepLines) -> JobErrors:
        """Launch the jobs as children of the run `parent`; gives what went wrong.

        A study that goes round by round does so again and again. `lines` are told how runs end.
        """
        overrides = self._below(parent)
        launcher = self.command.cfg.hydra.launcher._target_
        with ExitStack() as stack:
            stack.enter_context(lines.shown())
            if launcher != IN_THIS_PROCESS:
                stack.enter_context(watched(lines, tracker, parent, self.names.of_run))
            job = SweepJob(self.composer, lines, self.names, self.world)
            self.composer.loader.hand_on(self.command.cfg, overrides)
            # Hydra raises the first job's error after the last job.
            try:
                self.hydra.multirun(self.composer.config_name, job, overrides)
            except Exception as error:
                return JobErrors(job.error, error)
        return JobErrors(job.error, None)

    def _below(self, parent: str) -> list[str]:
        """The overrides of the jobs, whose configuration is made one of many below `parent`."""
        cfg, to_parent = self.command.cfg, f"tracking.parent='{parent}'"
        if cfg.tracking.parent != parent:
            cfg.tracking.parent = parent
            cfg.hydra.overrides.task.append(to_parent)
        overrides = [*self.composer.overrides, to_parent]
        if cfg.hydra.mode != RunMode.MULTIRUN:
            cfg.hydra.mode = RunMode.MULTIRUN
            cfg.hydra.overrides.hydra.append("hydra.mode=MULTIRUN")
            overrides.append("hydra.mode=MULTIRUN")
        return overrides
