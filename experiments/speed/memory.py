"""The figure of memory: that of many images against that of few, each in a fresh process."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

from data_sets import DataSet
from measuring import middle, ratios, tell
from processes import run_python
from results import Row, row
from workspace import Workspace

FIGURES = ("memory",)
PROBE = Path(__file__).with_name("memory_probe.py")


def measure(work: Workspace, data: DataSet, _wanted: Collection[str]) -> Iterator[Row]:
    """The figure on one data set."""
    few, many = work.sizes.memory
    peaks: dict[int, list[float]] = {few: [], many: []}
    for _ in range(work.sizes.rounds):
        for count in (many, few):
            peaks[count].append(_peak(work, data, count))
            tell(f"memory, {data.name}: {count} images: {peaks[count][-1]:.0f} MB")
    yield row(
        "memory",
        data.name,
        ratios(peaks[many], peaks[few]),
        ours=f"{middle(peaks[many]):.0f} MB",
        theirs=f"{middle(peaks[few]):.0f} MB",
        note=f"{many} images against {few}, of {len(data.paths)}.",
    )


def _peak(work: Workspace, data: DataSet, count: int) -> float:
    """The largest anonymous memory of a process that encodes so many images, in MB."""
    folder = work.fresh()
    paths = itertools.islice(itertools.cycle(data.paths), count)
    listed = folder / "paths.json"
    listed.write_text(json.dumps([str(path) for path in paths]), encoding="utf-8")
    peak = float(run_python([str(PROBE), str(listed), str(folder / "store")]).out)
    shutil.rmtree(folder)
    return peak
