"""The subcommand `report`: tables of tracked runs, and the page of a study."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from mmclf.cli.tracked_runs import open_tracker, sorted_words
from mmclf.config.schema import Config
from mmclf.errors import InputError, printable, say, suggestion
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
from mmclf.studies.report.tables.rendering import SUFFIXES, print_rich, render
from mmclf.studies.report.tables.run_table import (
    FORMATS,
    SPARE,
    latex_results,
    remarks,
    results,
)

HTML = "html"
STUDY = "study="


def report(arguments: Sequence[str]) -> int:
    """`mmclf report`: a study's findings, two runs compared, or a table of runs."""
    parser = argparse.ArgumentParser(prog="mmclf report", description="The results table.")
    parser.add_argument(
        "words", nargs="*", metavar="STUDY or KEY=VALUE", help="of a study, also as study=NAME"
    )
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
    overrides, studies = sorted_words([*given.words, *(given.runs or ())])
    studies += [word.removeprefix(STUDY) for word in overrides if word.startswith(STUDY)]
    overrides = [word for word in overrides if not word.startswith(STUDY)]
    if len(studies) > 1 and given.runs is None:
        raise InputError(f"mmclf report: found {' and '.join(studies)}, expected one study")
    columns = parse_columns(given.columns)
    tracker, config = open_tracker(overrides)
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


def select(tracked: Sequence[TrackedRun], study: str | None) -> list[TrackedRun]:
    """The runs of a study, or of the latest sweep, or where there is no sweep all; oldest first."""
    if study is not None:
        studies = {run.tags["mmclf.study"] for run in tracked if "mmclf.study" in run.tags}
        if study not in studies:
            raise InputError(f"no study {study!r} has been run: {suggestion(study, studies)}")
        chosen = [run for run in tracked if run.tags.get("mmclf.study") == study and run.parent]
    else:
        trained = [run for run in tracked if run.tags.get("mmclf.kind") != "doctor"]
        latest = next((run.parent for run in trained if run.parent is not None), None)
        chosen = [run for run in trained if run.parent == latest]
    if not chosen:
        raise InputError("there are no runs yet: start one with `mmclf`")
    return sorted(chosen, key=lambda run: run.started_ms)
