"""The subcommand `diff`: what differs between two tracked runs, each kind in a table of its own."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from rich.console import Console

from mmclf.cli.command_parser import command_parser
from mmclf.cli.tracked_runs import open_tracker, sorted_words
from mmclf.errors import InputError, say
from mmclf.pipeline.run_facts import RunFacts, read_facts
from mmclf.pipeline.run_naming import EXECUTION, EXECUTION_PREFIXES
from mmclf.plots.words import counted, points
from mmclf.studies.report.tables.rendering import NO_VALUE, print_rich, render

DESCRIPTION = """\
What differs between two runs: settings, data, code, packages, what was not
committed (of runs with tracking.patch=true), hardware and metrics. F1 and mAP
are in points, as everywhere that a person reads them."""
SECTIONS = ("settings", "data", "code", "packages", "hardware")
SHOWN = 8  # digits of an id
# The others follow from these, or are of single labels and epochs: --all shows them.
MAIN = re.compile(
    r"(train|val|test)/(loss|f1_macro|f1_micro|f1_samples|map)|best_epoch|(time|cost)/.*"
)


def diff(arguments: Sequence[str]) -> int:
    """`mmclf diff ID ID`: print what differs between two runs."""
    parser = command_parser("diff", DESCRIPTION)
    parser.add_argument("words", nargs="+", metavar="ID", help="of a run, or the beginning of one")
    parser.add_argument("--all", action="store_true", help="all metrics, of single labels too")
    options = parser.parse_intermixed_args(arguments)
    overrides, ids = sorted_words(options.words)
    if len(ids) != 2:
        raise InputError(
            f"mmclf diff: found {counted(len(ids), 'run')}, expected two: mmclf diff ID ID; "
            "`mmclf runs` lists them"
        )
    tracker, _ = open_tracker(overrides)
    first, second = (read_facts(tracker, tracker.find(word)) for word in ids)
    if first.run.id == second.run.id:
        raise InputError(f"run {first.run.id} is given twice, expected two runs")
    names = [facts.run.id[:SHOWN] for facts in (first, second)]
    for name, facts in zip(names, (first, second), strict=True):
        say(f"{name}  {facts.run.name} ({facts.run.status})")
    same = [section for section in SECTIONS if not _print_section(section, first, second, names)]
    rows = differing_metrics(first.metrics, second.metrics)
    main = [row for row in rows if options.all or MAIN.fullmatch(row[0])]
    if main:
        _print(_to_the_right(pd.DataFrame(main, columns=["metrics", *names, "difference"])))
    if len(main) < len(rows):
        say(f"{len(rows) - len(main)} more metrics differ: --all shows them")
    for line in _remarks(first, second):
        say(line)
    same += [] if rows else ["metrics"]
    if same:
        say(f"the same: {', '.join(same)}")
    return 0


def _print_section(section: str, first: RunFacts, second: RunFacts, names: Sequence[str]) -> bool:
    """Print what differs in a section, if anything does."""
    rows = differing(getattr(first, section), getattr(second, section))
    if rows:
        _print(pd.DataFrame(rows, columns=[section, *names]))
    return bool(rows)


def differing(first: Mapping[str, str], second: Mapping[str, str]) -> list[list[str]]:
    """The name and both values of each that differs; a dash where there is none.

    Settings of where and how a run computes come last.
    """
    names = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    names.sort(key=_is_execution)
    return [[name, first.get(name, NO_VALUE), second.get(name, NO_VALUE)] for name in names]


def differing_metrics(first: Mapping[str, float], second: Mapping[str, float]) -> list[list[str]]:
    """The name, both values and their difference of each metric that differs."""
    rows = []
    for name in sorted({**first, **second}):
        own, other = first.get(name, math.nan), second.get(name, math.nan)
        both_missing = math.isnan(own) and math.isnan(other)
        if own != other and not both_missing:
            cells = (_number(name, own), _number(name, other), _number(name, other - own, "+"))
            rows.append([name, *cells])
    return rows


def _is_execution(name: str) -> bool:
    return name in EXECUTION or name.startswith(EXECUTION_PREFIXES)


def _number(name: str, value: float, sign: str = "") -> str:
    if math.isnan(value):
        return NO_VALUE
    if "/f1_" in name or name.endswith("/map"):
        return points(value, signed=sign == "+")
    return f"{value:{sign}.4f}" if abs(value) < 100 else f"{value:{sign}.1f}"


def _remarks(first: RunFacts, second: RunFacts) -> Iterator[str]:
    kept = [facts.patch for facts in (first, second)]
    if None not in kept:
        same = "the same" if kept[0] == kept[1] else "differs: patch.diff of each"
        yield f"not committed: {same}"
    elif kept != [None, None] or any("-dirty" in f.code.get("commit", "") for f in (first, second)):
        yield "not committed: not kept by both; tracking.patch=true keeps it"
    if not (first.packages and second.packages):
        yield "packages: not kept by both, as an earlier version of mmclf did not"


def _to_the_right(table: pd.DataFrame) -> pd.DataFrame:
    """The numbers, which are texts here, below each other."""
    texts = {
        str(name): [cell.rjust(max(len(str(name)), *map(len, table[name]))) for cell in table[name]]
        for name in table.columns[1:]
    }
    return table.assign(**texts)


def _print(table: pd.DataFrame) -> None:
    console = Console()
    sys.stdout.write("\n")
    if console.is_terminal:
        print_rich(table, console, "")
    else:
        sys.stdout.write(render(table, "text"))
