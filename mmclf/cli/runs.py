"""The subcommand `runs`: the tracked runs, filtered and sorted, or a leaderboard of arms."""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, stdev
from typing import TypeVar

import pandas as pd
from rich.console import Console

from mmclf.cli.tracked_runs import open_tracker, sorted_words
from mmclf.errors import InputError, say
from mmclf.storage.tracking import TrackedRun, send_unsent
from mmclf.storage.tracking.dead_runs import end_dead_runs
from mmclf.storage.tracking.where import as_number, check_keys, read_conditions, value_of
from mmclf.studies.report.tables.rendering import (
    NO_VALUE,
    Format,
    in_digits,
    in_points,
    print_rich,
    render,
)

DESCRIPTION = """\
The tracked runs, the latest first, or with --by arm the arms that they belong
to, the best on the validation samples first.

KEY is whatever a run has: a metric (test/f1_samples), a setting (optimizer.lr),
a group (loss), or run_id, name, status, started, parent, arm, seed, study.

F1 and mAP are shown in points, which are hundredths; in conditions, and with
--format csv, they are shares, as MLflow has them."""
COLUMNS = ("run_id", "status", "started", "test/f1_samples", "time/cold_s", "parent", "name")
SPARE = ("parent", "started", "time/cold_s", "status")
VAL, TEST, TIME = "val/f1_samples", "test/f1_samples", "time/cold_s"
OF_ARMS = ("study", "data_digest")
SMALLER_FIRST = ("time/", "cost/")
# What is tracked as a share: F1 and mAP, and their deviations over an arm's runs.
SHARE = re.compile(r"(epoch/)?(train|val|test)/(f1_.+|map)( SD)?")
# What a person reads over a leaderboard's columns.
HEADINGS: Mapping[str, str] = {
    VAL: "val F1",
    f"{VAL} SD": "val SD",
    TEST: "test F1",
    f"{TEST} SD": "test SD",
    TIME: "cold s",
}
Row = TypeVar("Row")


def runs(arguments: Sequence[str]) -> int:
    """`mmclf runs`: the tracked runs, the latest first, or the arms that they belong to."""
    options = _parser().parse_intermixed_args(arguments)
    overrides, others = sorted_words(options.words)
    if others:
        raise InputError(f"mmclf runs: {others[0]!r} is no KEY=VALUE such as output_dir=outputs")
    conditions = read_conditions(options.where) if options.where is not None else []
    tracker, _ = open_tracker(overrides)
    if options.send is not None:
        count = send_unsent(tracker, options.send)
        say(f"run {options.send}: sent what it had logged, in {count} parts")
        return 0
    end_dead_runs(tracker)
    tracked = tracker.runs()
    check_keys([condition.key for condition in conditions], tracked, "--where")
    check_keys([options.sort] if options.sort is not None else [], tracked, "--sort")
    chosen = [run for run in tracked if all(condition.holds(run) for condition in conditions)][
        : options.last
    ]
    if options.by == "arm":
        board = leaderboard(chosen, options.sort or VAL, is_reversed=options.reverse)
        _print_board(board, options.sort or VAL, options.format)
        return 0
    asked = dict.fromkeys(
        [*(condition.key for condition in conditions), *filter(None, [options.sort])]
    )
    if options.sort is not None:
        chosen = _in_order(chosen, options.sort, lambda run: value_of(run, options.sort))
    if options.reverse:
        chosen.reverse()
    columns = [*COLUMNS[:-1], *(key for key in asked if key not in COLUMNS), COLUMNS[-1]]
    rows = [[_cell(run, key) for key in columns] for run in chosen]
    table = pd.DataFrame(rows, columns=columns)
    console = Console()
    if console.is_terminal and options.format == "text":
        spare = (*SPARE, "name") if len(columns) > len(COLUMNS) else SPARE
        title, whole = "Runs, F1 in points", ("run_id",)
        print_rich(table, console, title, _formats(table), spare=spare, whole=whole)
    else:
        _print_plain(table, options.format)
    return 0


def _formats(table: pd.DataFrame) -> dict[str, Format]:
    """How a person reads each column that is not as it was tracked."""
    shares = {name: _in_points for name in map(str, table) if SHARE.fullmatch(name)}
    return {**shares, TIME: in_digits(1)}


def _in_points(value: object) -> str:
    """A share in points; of a row that comes as text as well."""
    return in_points(float(str(value)))


def _print_plain(table: pd.DataFrame, form: str) -> None:
    """Print a table off a terminal: columns by their own names, parted by tabs, or CSV."""
    sys.stdout.write(render(table, "csv" if form == "csv" else "tsv", _formats(table)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mmclf runs",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", metavar="KEY=VALUE", help="as output_dir=outputs")
    parser.add_argument(
        "--where",
        metavar="CONDITION",
        help='only these, as "test/f1_samples > 0.85 and loss = focal"; ~ is a part of a text',
    )
    parser.add_argument(
        "--sort",
        metavar="KEY",
        help="the largest first; of losses, times and costs the smallest, of texts by the alphabet",
    )
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    parser.add_argument("--last", type=_count, metavar="N", help="of these the latest N alone")
    parser.add_argument("--by", choices=("arm",), help="a leaderboard: a row for each arm")
    parser.add_argument(
        "--format",
        choices=("text", "csv"),
        default="text",
        help="csv: unrounded, F1 as shares; default: text",
    )
    parser.add_argument("--send", metavar="RUN_ID", help="send what a run could not be told")
    return parser


def _count(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number of at least 1")
    return count


def leaderboard(
    tracked: Sequence[TrackedRun], key: str, *, is_reversed: bool = False
) -> pd.DataFrame:
    """A row for each arm, the best mean of `key` over its finished runs first.

    Runs of one arm have the same data by content and belong to the same study, if to one.
    """
    arms: defaultdict[tuple[str, str, str], list[TrackedRun]] = defaultdict(list)
    for run in tracked:
        if run.status == "FINISHED" and "mmclf.arm" in run.tags:
            study, data = (run.tags.get(f"mmclf.{name}", NO_VALUE) for name in OF_ARMS)
            arms[study, data, run.tags["mmclf.arm"]].append(run)
    rows = []
    for (study, data, arm), members in arms.items():
        row: dict[str, object] = {"arm": arm, "runs": len(members)}
        for name in (VAL, TEST):
            row |= {name: _mean(members, name), f"{name} SD": _deviation(members, name)}
        if key not in (VAL, TEST, TIME):
            row[key] = _mean(members, key)
        rows.append(row | {TIME: _mean(members, TIME), "study": study, "data": data})
    ordered = _in_order(rows, key, lambda row: row[key])
    table = pd.DataFrame(ordered[::-1] if is_reversed else ordered)
    if table.empty:
        return pd.DataFrame(columns=["arm", "runs", VAL, TEST, TIME])
    same = [name for name in ("study", "data") if table[name].nunique() == 1]
    return table.drop(columns=same)


def _mean(members: Sequence[TrackedRun], key: str) -> float:
    values = _numbers(members, key)
    return fmean(values) if values else math.nan


def _deviation(members: Sequence[TrackedRun], key: str) -> float:
    values = _numbers(members, key)
    return stdev(values) if len(values) > 1 else math.nan


def _numbers(members: Sequence[TrackedRun], key: str) -> list[float]:
    values = (value_of(run, key) for run in members)
    numbers = (as_number(value) for value in values if value is not None)
    return [number for number in numbers if number is not None and math.isfinite(number)]


def _in_order(rows: Sequence[Row], key: str, value: Callable[[Row], object]) -> list[Row]:
    """The rows sorted as `--sort` says; those without a value come last, in their order."""
    known = [row for row in rows if not _is_missing(value(row))]
    rest = [row for row in rows if _is_missing(value(row))]
    numbers = [as_number(str(value(row))) for row in known]
    if all(number is not None for number in numbers):
        smaller_first = key.startswith(SMALLER_FIRST) or key.endswith("loss")
        sign = 1 if smaller_first else -1
        known.sort(key=lambda row: sign * float(str(value(row))))
    else:
        known.sort(key=lambda row: str(value(row)), reverse=key == "started")
    return known + rest


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _cell(run: TrackedRun, key: str) -> object:
    value = value_of(run, key)
    return math.nan if value is None and key in (TEST, TIME) else value


def _print_board(board: pd.DataFrame, key: str, form: str) -> None:
    """A leaderboard; off a terminal under the names that were tracked."""
    console = Console()
    if not console.is_terminal or form == "csv":
        _print_plain(board, form)
        return
    formats = {HEADINGS.get(name, name): how for name, how in _formats(board).items()}
    shared, arms = _without_shared(list(board["arm"]))
    if shared:
        say(f"all arms: {', '.join(shared)}")
    print_rich(
        board.assign(arm=arms).rename(columns=HEADINGS),
        console,
        f"Arms by {key}, F1 in points",
        formats,
        spare=("data", "study", "test SD", "val SD"),
    )


def _without_shared(arms: Sequence[str]) -> tuple[list[str], list[str]]:
    """The overrides that all arms have, and the arms' names without them."""
    parts = [arm.split(",") for arm in arms]
    are_overrides = all("=" in part for own in parts for part in own if own != ["base"])
    if len(arms) < 2 or not are_overrides:
        return [], list(arms)
    shared = [part for part in parts[0] if all(part in own for own in parts)]
    rest = [", ".join(part for part in own if part not in shared) or "base" for own in parts]
    return shared, rest
