"""Measure how fast mmclf is, and write README.md and results.csv: `make bench`."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import report
import results
from data_sets import DataSet
from figures import CPU
from measuring import tell
from results import Row
from sizes import FULL, QUICK
from workspace import Workspace

from mmclf.storage import environment

HERE = Path(__file__).resolve().parent
ON_CPU = tuple(figure.name for figure in CPU)
# Each measures its FIGURES on a data set by `measure`.
MODULES = (
    "encoding",
    "captions",
    "predicting",
    "fitting",
    "fused",
    "training",
    "commands",
    "memory",
    "logging_share",
)


def main() -> int:
    """Measure what the command line asks for; returns the exit status."""
    arguments = _arguments()
    wanted = tuple(arguments.only or ON_CPU)
    out: Path | None = arguments.out or (None if arguments.quick else HERE)
    environment.keep_freed_memory()  # as a run does
    root = arguments.data.resolve() if arguments.data is not None else None
    if root is not None and not root.is_dir():
        tell("there is no folder as --data names it: the demo data alone")
        root = None
    went_well = True
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mmclf-bench-") as folder:
        work = Workspace(Path(folder), QUICK if arguments.quick else FULL, root)
        for measured in _measured(work, wanted, arguments.on):
            if measured is None:
                went_well = False
                continue
            rows.append(measured)
            if out is not None:
                _write(out, rows)
    if out is None:
        sys.stdout.write(_readme(results.merged([], rows)))
    return 0 if went_well else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="real data in the competition's layout")
    parser.add_argument("--only", nargs="+", choices=ON_CPU, metavar="NAME", help="some figures")
    parser.add_argument("--on", choices=("demo", "real"), help="one data set of the two")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="tiny sizes, to try this script; prints the README and keeps nothing without --out",
    )
    parser.add_argument("--out", type=Path, help="the folder of README.md and results.csv")
    return parser.parse_args()


def _measured(work: Workspace, wanted: Sequence[str], on: str | None) -> Iterator[Row | None]:
    """The rows of the wanted figures, and None for what failed, which is told."""
    names = [name for name in MODULES if set(wanted) & _figures(name)]
    sets = work.data_sets() if names else []
    for data in (each for each in sets if on is None or each.name == on):
        for name in names:
            yield from _rows(name, work, data, wanted)


def _figures(module: str) -> set[str]:
    return set(importlib.import_module(module).FIGURES)


def _rows(
    module: str, work: Workspace, data: DataSet, wanted: Sequence[str]
) -> Iterator[Row | None]:
    measure = importlib.import_module(module).measure
    try:
        for measured in measure(work, data, wanted):
            tell(f"{measured.figure}, {measured.data}: {measured.median:.3f}")
            yield measured
    except Exception:  # the other figures are measured all the same
        traceback.print_exc()
        yield None


def _write(out: Path, rows: Sequence[Row]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    merged = results.merged(results.read(out), rows)
    results.write(out, merged)
    (out / "README.md").write_text(_readme(merged), encoding="utf-8")


def _readme(rows: Sequence[Row]) -> str:
    return report.readme(rows, report.read_texts(HERE), results.read(HERE, results.GPU_FILE))


if __name__ == "__main__":
    sys.exit(main())
