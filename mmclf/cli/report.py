"""The subcommands that read tracked runs back: `report` and `runs`."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd
from rich.console import Console

from mmclf.config.compose import compose
from mmclf.config.schema import Config
from mmclf.errors import InputError, suggestion
from mmclf.messages import printable, say
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.publish import PAGE, publish
from mmclf.studies.report.result.collect import collect, latest_parent
from mmclf.studies.report.result.compare import compare
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.show import show
from mmclf.studies.report.tables.column_choice import (
    SHORT_NAMES,
    check_columns,
    chosen_by_heading,
    parse_columns,
)
from mmclf.studies.report.tables.rendering import SUFFIXES, Formats, in_digits, print_rich, render
from mmclf.studies.report.tables.run_table import (
    FORMATS,
    SPARE,
    latex_results,
    remarks,
    results,
)

HTML = "html"
RUN_COLUMNS = ("run_id", "status", "started", "test/f1_samples", "time/cold_s", "parent", "name")
RUN_FORMATS: Formats = {"time/cold_s": in_digits(1)}


def report(arguments: Sequence[str]) -> int:
    """`mmclf report`: a study's findings, two runs compared, or a table of runs."""
    parser = argparse.ArgumentParser(prog="mmclf report", description="The results table.")
    parser.add_argument("words", nargs="*", metavar="STUDY or KEY=VALUE")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--runs", nargs="+", metavar="ID", help="the table of these runs")
    which.add_argument("--compare", nargs=2, metavar="ID", help="two runs beside each other")
    parser.add_argument(
        "--format", choices=(*SUFFIXES, HTML), help="default: text, rich on a terminal"
    )
    parser.add_argument(
        "--no-images",
        action="store_true",
        help="a page without captions and pictures of samples, which are then not read",
    )
    parser.add_argument(
        "--columns",
        metavar="NAME,...",
        help=f"of a study: {', '.join(SHORT_NAMES)}; of runs: headings, as test_f1, and costs",
    )
    given = parser.parse_intermixed_args(arguments)
    overrides, studies = _sorted_words([*given.words, *(given.runs or ())])
    if len(studies) > 1 and given.runs is None:
        raise InputError(f"mmclf report: found {' and '.join(studies)}, expected one study")
    columns = parse_columns(given.columns)
    config = compose(overrides).config
    tracker = open_tracker(config)
    if given.compare is not None:
        check_columns(columns)
        pair = [tracker.find(word) for word in given.compare]
        return _study(compare(tracker, *pair), tracker, config, given, columns)
    parent = latest_parent(tracker, studies[0]) if studies and given.runs is None else None
    if parent is not None:
        check_columns(columns)
        return _study(collect(tracker, parent), tracker, config, given, columns)
    if given.format == HTML:
        raise InputError("mmclf report: a page is made of a study or of two runs: give either")
    if given.runs is not None:
        chosen = tracker.get([word for word in given.runs if "=" not in word])
    else:
        chosen = select(tracker.runs(), studies[0] if studies else None)
    table = chosen_by_heading(results(chosen), columns)
    console = Console()
    if given.format is None and console.is_terminal:
        print_rich(table, console, "Results", FORMATS, spare=SPARE)
    elif given.format == "tex":
        sys.stdout.write(latex_results(table))
    else:
        sys.stdout.write(render(table, given.format or "text", FORMATS))
    if given.format in (None, "text"):
        for remark in remarks(chosen):
            say(remark)
    return 0


def _study(
    result: StudyResult,
    tracker: Tracker,
    config: Config,
    given: argparse.Namespace,
    columns: Sequence[str] | None,
) -> int:
    """Print the findings, and write their folder anew."""
    folder, form = Path(config.output_dir) / "studies" / result.definition.name, given.format
    publish(tracker, result, folder, images=not given.no_images, allow=config.allow_targets)
    if form == HTML:
        sys.stdout.write((folder / PAGE).read_text(encoding="utf-8"))
        return 0
    show(result, Console(), form, columns)
    sys.stderr.write(f"page: {printable(str(folder / PAGE))}\n")
    return 0


def runs(arguments: Sequence[str]) -> int:
    """`mmclf runs`: the tracked runs, the latest first."""
    parser = argparse.ArgumentParser(prog="mmclf runs", description="The tracked runs.")
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--send", metavar="RUN_ID", help="send what a run could not be told")
    options = parser.parse_intermixed_args(arguments)
    overrides, others = _sorted_words(options.words)
    if others:
        raise InputError(f"mmclf runs: {others[0]!r} is no KEY=VALUE such as output_dir=outputs")
    tracker = open_tracker(compose(overrides).config)
    if options.send is not None:
        count = tracker.send_unsent(options.send)
        say(f"run {options.send}: sent what it had logged, in {count} parts")
        return 0
    tracked = tracker.runs()
    table = pd.DataFrame([_listed(run) for run in tracked], columns=RUN_COLUMNS)
    console = Console()
    if console.is_terminal:
        spare = ("parent", "started", "time/cold_s")
        print_rich(table, console, "Runs", RUN_FORMATS, spare=spare, whole=("run_id",))
    else:
        sys.stdout.write(render(table, "tsv", RUN_FORMATS))
    return 0


def open_tracker(config: Config) -> Tracker:
    """The tracker of a config; raises InputError if it holds no database yet."""
    folder = Path(config.output_dir)
    return Tracker(config.tracking.uri, config.tracking.experiment, folder, create=False)


def select(tracked: Sequence[TrackedRun], study: str | None) -> list[TrackedRun]:
    """The runs of a study, or of the latest sweep, or where there is no sweep all; oldest first."""
    if study is not None:
        known = {run.tags["mmclf.study"] for run in tracked if "mmclf.study" in run.tags}
        if study not in known:
            raise InputError(f"no study {study!r} has been run: {suggestion(study, known)}")
        chosen = [run for run in tracked if run.tags.get("mmclf.study") == study and run.parent]
    else:
        trained = [run for run in tracked if run.tags.get("mmclf.kind") != "doctor"]
        latest = next((run.parent for run in trained if run.parent is not None), None)
        chosen = [run for run in trained if run.parent == latest]
    if not chosen:
        raise InputError("there are no runs yet: start one with `mmclf`")
    return sorted(chosen, key=lambda run: run.started_ms)


def _sorted_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    return [w for w in words if "=" in w], [w for w in words if "=" not in w]


def _listed(run: TrackedRun) -> dict[str, object]:
    started = datetime.fromtimestamp(run.started_ms / 1000).astimezone()
    return {
        "run_id": run.id,
        "status": run.status,
        "started": started.strftime("%Y-%m-%d %H:%M:%S"),
        "test/f1_samples": run.metrics.get("test/f1_samples", math.nan),
        "time/cold_s": run.metrics.get("time/cold_s", math.nan),
        "parent": run.parent,
        "name": run.name,
    }
