"""The figure of MLflow: what importing it and logging take of a warm run."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from data_sets import DataSet
from measuring import in_seconds, tell
from processes import run_python
from results import Row, row
from workspace import ENCODERS, Workspace

FIGURES = ("tracking_share",)
PROBE = Path(__file__).with_name("logging_probe.py")


def measure(work: Workspace, data: DataSet, _wanted: Collection[str]) -> Iterator[Row]:
    """The figure on one data set."""
    folder = work.run_of(data)
    overrides = [*data.overrides, *ENCODERS, f"output_dir={folder}"]
    report_file = folder / "logging.json"
    walls: list[float] = []
    parts: dict[str, list[float]] = {"imports": [], "calls": []}
    for number in range(work.sizes.pairs + 1):
        wall = run_python([str(PROBE), str(report_file), *overrides]).seconds
        content = json.loads(report_file.read_text(encoding="utf-8"))
        tell(f"tracking_share, {data.name}: {wall:.2f} s, of these {content}")
        if number == 0:
            continue  # warm-up
        walls.append(wall)
        for name, seconds in parts.items():
            seconds.append(content[name])
    both = [sum(pair) for pair in zip(*parts.values(), strict=True)]
    yield row(
        "tracking_share",
        data.name,
        [part / wall for part, wall in zip(both, walls, strict=True)],
        ours=in_seconds(both),
        theirs=in_seconds(walls),
        note=f"Imports {in_seconds(parts['imports'])}, calls {in_seconds(parts['calls'])}.",
    )
