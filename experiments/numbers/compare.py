"""Prove that two source trees of mmclf come to the same numbers, to the last digit.

    python experiments/numbers/compare.py trees OLD NEW        # two checkouts or commits
    python experiments/numbers/compare.py record TREE OUT.json
    python experiments/numbers/compare.py compare OLD.json NEW.json

Exits with 1 if any value differs, or if a command fails.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import data_set
import trees
from comparing import Comparison, compare
from configurations import CONFIGURATIONS, Configuration
from recording import Recording, load, record

SHOWN = 10  # differences of a configuration


def main() -> int:
    """Do what the command line asks for; returns the exit status."""
    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
    given = _arguments()
    wanted = [one for one in CONFIGURATIONS if not given.only or one.name in given.only]
    if given.command == "compare":
        return _compare(load(given.old), load(given.new), wanted, given.all)
    with tempfile.TemporaryDirectory(prefix="mmclf-numbers-") as folder:
        work = Path(folder).resolve()
        data = work / "data"
        if given.data is None:
            data_set.make(data)
        else:
            data_set.cut(given.data.resolve(), data)
        if given.command == "record":
            recording = _record(given.tree, wanted, data, work / "tree", given.jobs)
            recording.save(given.out)
            return 1 if any(one.failure is not None for one in recording.results.values()) else 0
        old = _record(given.old, wanted, data, work / "old", given.jobs)
        new = _record(given.new, wanted, data, work / "new", given.jobs)
    return _compare(old, new, wanted, given.all)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    both = commands.add_parser("trees", help="record two trees and compare them")
    both.add_argument("old", help="a checkout's path, or a commit of this repository")
    both.add_argument("new", help="likewise")
    one = commands.add_parser("record", help="record one tree")
    one.add_argument("tree", help="a checkout's path, or a commit of this repository")
    one.add_argument("out", type=Path, help="the JSON file to write")
    files = commands.add_parser("compare", help="compare two recordings")
    files.add_argument("old", type=Path, help="a JSON file that `record` wrote")
    files.add_argument("new", type=Path, help="likewise")
    names = [one.name for one in CONFIGURATIONS]
    for command in (both, one, files):
        command.add_argument("--only", nargs="+", choices=names, metavar="NAME", help="some alone")
    for command in (both, one):
        command.add_argument("--data", type=Path, help="real data in the competition's layout")
        command.add_argument("--jobs", type=int, default=2, help="commands at a time")
    for command in (both, files):
        command.add_argument("--all", action="store_true", help="show every difference")
    return parser.parse_args()


def _record(
    given: str, wanted: Sequence[Configuration], data: Path, work: Path, jobs: int
) -> Recording:
    work.mkdir()
    tree, called = trees.find(given, work)
    return record(tree, called, wanted, data, data_set.digest(data), work, jobs)


def _compare(
    old: Recording, new: Recording, wanted: Sequence[Configuration], show_all: bool
) -> int:
    """Print what the comparison comes to; returns the exit status."""
    apart = [key for key, value in old.made_with.items() if new.made_with.get(key) != value]
    for key in apart:
        print(f"{key}: {old.made_with[key]}\n{' ' * len(key)}  {new.made_with.get(key)}")
    if "data" in apart:
        print("the recordings are of different data: record both with the same --data")
        return 1
    comparisons = {
        one.name: compare(old.results[one.name], new.results.get(one.name))
        for one in wanted
        if one.name in old.results
    }
    print(f"old: {old.tree}  new: {new.tree}\n")
    print(_table(old, comparisons))
    for name, comparison in comparisons.items():
        _print_differences(name, comparison, None if show_all else SHOWN)
    added = sorted({key for comparison in comparisons.values() for key in comparison.only_new})
    if added:
        print(f"\nonly in the new tree: {', '.join(added)}")
    different = sum(len(comparison.differences) for comparison in comparisons.values())
    compared = sum(comparison.compared for comparison in comparisons.values())
    print(f"\n{compared} values compared, {different} differ")
    return 0 if different == 0 and compared > 0 else 1


def _table(old: Recording, comparisons: Mapping[str, Comparison]) -> str:
    lines = ["| configuration | runs | values compared | result |", "| --- | ---: | ---: | --- |"]
    for name, comparison in comparisons.items():
        count = len(comparison.differences)
        result = "equal" if count == 0 else f"**{count} differ**"
        runs = len(old.results[name].runs)
        lines.append(f"| {name} | {runs} | {comparison.compared} | {result} |")
    return "\n".join(lines)


def _print_differences(name: str, comparison: Comparison, shown: int | None) -> None:
    if comparison.differences:
        print(f"\n{name}:")
    for one in comparison.differences[:shown]:
        new = "missing" if one.new is None else one.new
        print(f"  {one.where}: {one.key}: old {one.old}, new {new}")
    if shown is not None and len(comparison.differences) > shown:
        print(f"  and {len(comparison.differences) - shown} more: --all shows them")


if __name__ == "__main__":
    sys.exit(main())
