"""`mmclf.report`: a study, two runs compared, or any runs, read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from mmclf.cli.report import select
from mmclf.config.compose import compose
from mmclf.config.override_lines import override_lines
from mmclf.errors import InputError
from mmclf.notebook.runs_report import RunsReport
from mmclf.notebook.study_report import StudyReport
from mmclf.pipeline.tracker_of import tracker_of
from mmclf.storage.tracking import Tracker
from mmclf.storage.tracking.session import location_of
from mmclf.studies.report.result.collect import collect, latest_parent
from mmclf.studies.report.result.compare import compare as compare_runs


class Tracked(Protocol):
    """What was tracked as a run, such as a Result."""

    @property
    def run_id(self) -> str:
        """The id in MLflow."""


def report(
    overrides: str | Sequence[str] = (),
    *,
    runs: Sequence[str | Tracked] | None = None,
    compare: Sequence[str | Tracked] | None = None,
) -> StudyReport | RunsReport:
    """The report of a study, of two runs compared, or of runs; without any, of the latest sweep.

    `overrides` may name a study, and say where runs are tracked: `"loss output_dir=DIR"`. `runs`
    and `compare` are ids, or results of this session, which are found wherever they are tracked.

    Raises InputError for a study or a run that is not tracked, and for runs that cannot be
    compared.
    """
    lines = override_lines(overrides)
    names = [line.removeprefix("study=") for line in lines if "=" not in line or _is_study(line)]
    lines = [line for line in lines if "=" in line and not _is_study(line)]
    if runs is not None and compare is not None:
        raise InputError("runs, compare: found both, expected one of them")
    if len(names) > 1:
        raise InputError(f"overrides: found {' and '.join(names)}, expected one study")
    if compare is not None:
        first_and_second = _ids(compare, "compare")
        if len(first_and_second) != 2:
            raise InputError(f"compare: found {len(first_and_second)} runs, expected two")
        tracker = _tracker(lines, first_and_second)
        first, second = (tracker.find(run_id) for run_id in first_and_second)
        return StudyReport(tracker, compare_runs(tracker, first, second))
    if runs is not None:
        ids = _ids(runs, "runs")
        tracker = _tracker(lines, ids)
        return RunsReport(tracker, [tracker.find(run_id) for run_id in ids])
    tracker = tracker_of(compose(lines).config)
    parent = latest_parent(tracker, names[0]) if names else None
    if parent is not None:
        return StudyReport(tracker, collect(tracker, parent))
    chosen = select(tracker.runs(), names[0] if names else None)
    return RunsReport(tracker, chosen, chosen[0].parent)


def _is_study(line: str) -> bool:
    return line.startswith("study=")


def _ids(runs: Sequence[str | Tracked], argument: str) -> list[str]:
    if isinstance(runs, str):
        return runs.split()
    if not runs:
        raise InputError(f"{argument}: found no run, expected ids of runs, or results")
    return [run if isinstance(run, str) else run.run_id for run in runs]


def _tracker(lines: Sequence[str], ids: Sequence[str]) -> Tracker:
    """Of the overrides if there are some, else of where this session tracked the first run."""
    location = None if lines else location_of(ids[0])
    if location is None:
        return tracker_of(compose(lines).config)
    return Tracker(location.uri, location.experiment, Path(location.output_dir), create=False)
