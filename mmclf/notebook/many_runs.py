"""`mmclf.sweep` and `mmclf.study`: what the command of these overrides does, and its report."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from mmclf.cli.launch import check_output_dir, hydra_of
from mmclf.cli.multirun import run_planned_study, run_sweep
from mmclf.config.compose import Command, read_command
from mmclf.config.composer import open_composer
from mmclf.config.override_lines import override_lines
from mmclf.errors import InputError, NothingTrackedError
from mmclf.notebook.runs_report import RunsReport
from mmclf.notebook.study_report import StudyReport
from mmclf.pipeline.run_naming import without_passwords
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.storage.tracking import TrackedRun
from mmclf.storage.tracking.session import TrackingLocation, remember
from mmclf.studies.report.result.collect import collect, latest_parent
from mmclf.training.hardware import describe_device


def sweep(overrides: str | Sequence[str], config_dir: Path | None = None) -> RunsReport:
    """Run a sweep, as `mmclf -m` does, and report on its runs.

    A string is split as a shell does. Raises InputError for what is wrong with the overrides,
    before anything is run; a run that fails is in the table with its status.
    """
    lines = override_lines(overrides)
    with open_composer(lines, config_dir) as composer:
        command = read_command(composer, multirun=True)
        _check(command, "sweep")
        asked = without_passwords(" ".join(composer.overrides))
        before = {run.id for run in _parents(command, asked)}
        with redirect_stdout(io.StringIO()):  # lines of runs, which the table has
            run_sweep(hydra_of(composer), composer, command)
    parent = next(run for run in _parents(command, asked) if run.id not in before)
    tracker = tracker_of(command.first.config)
    runs = sorted(tracker.children(parent.id), key=lambda run: run.started_ms)
    _remember(command, runs)
    return RunsReport(tracker, runs, parent.id)


def study(overrides: str | Sequence[str], config_dir: Path | None = None) -> StudyReport:
    """Run what a study lacks, as `mmclf study=NAME` does, and report on it.

    A word without `=` is the study's name: `"loss study.seeds=3"`. Raises InputError for what is
    wrong with the overrides, before anything is run; what failed is in the report.
    """
    words = override_lines(overrides)
    lines = [word if "=" in word or word.startswith("~") else f"study={word}" for word in words]
    with open_composer(lines, config_dir) as composer:
        command = read_command(composer)
        _check(command, "study")
        with redirect_stdout(io.StringIO()):  # its tables, which the report has
            run_planned_study(hydra_of(composer), composer, command, lines)
    tracker = tracker_of(command.first.config)
    parent = latest_parent(tracker, command.first.choices["study"])
    assert parent is not None
    _remember(command, tracker.children(parent.id))
    return StudyReport(tracker, collect(tracker, parent))


def _check(command: Command, kind: str) -> None:
    """Raise InputError for overrides that ask for something else, or a run that cannot begin."""
    if command.kind != kind:
        raise InputError(
            f"overrides: found those of a {command.kind}, expected those of a {kind}: "
            f"mmclf.{command.kind} takes them"
        )
    describe_device(command.first.config.device)
    check_output_dir(Path(command.first.config.output_dir))


def _parents(command: Command, asked: str) -> list[TrackedRun]:
    """The parent runs of sweeps of these overrides, the latest first; none without a database."""
    try:
        tracker = tracker_of(command.first.config)
    except NothingTrackedError:
        return []
    return [run for run in tracker.tagged("mmclf.overrides", asked) if run.parent is None]


def _remember(command: Command, runs: Sequence[TrackedRun]) -> None:
    config, tracking = command.first.config, command.first.config.tracking
    for run in runs:
        remember(run.id, TrackingLocation(tracking.uri, tracking.experiment, config.output_dir))
