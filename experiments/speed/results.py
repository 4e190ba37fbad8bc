"""What was measured, a row for each figure and data, and how it is kept in results.csv."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from figures import ALL
from measuring import middle

from mmclf.storage import environment

FILE, GPU_FILE = "results.csv", "gpu.csv"


@dataclass(frozen=True)
class Row:
    """One figure on one data set: median, least and most of `n` ratios, and both sides in words."""

    figure: str
    data: str
    median: float
    low: float
    high: float
    n: int
    ours: str
    theirs: str
    note: str
    date: str
    commit: str
    hardware: str
    versions: str


def row(
    figure: str,
    data: str,
    values: Sequence[float],
    *,
    ours: str,
    theirs: str,
    note: str = "",
    ran_on: str | None = None,
) -> Row:
    """A row of what was measured just now, on the CPU unless `ran_on` says on what."""
    return Row(
        figure=figure,
        data=data,
        median=middle(values),
        low=min(values),
        high=max(values),
        n=len(values),
        ours=ours,
        theirs=theirs,
        note=note,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        commit=environment.commit() or "unknown",
        hardware=ran_on if ran_on is not None else environment.describe_cpu(),
        versions=environment.versions(),
    )


def read(folder: Path, name: str = FILE) -> list[Row]:
    """The rows kept in the file `name` of `folder`."""
    path = folder / name
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [_parsed(cells) for cells in csv.DictReader(stream)]


def write(folder: Path, rows: Iterable[Row], name: str = FILE) -> None:
    """Keep rows in the file `name` of `folder`."""
    with (folder / name).open("w", encoding="utf-8", newline="") as stream:
        names = [field.name for field in fields(Row)]
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def merged(kept: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """All rows in the figures' order, a new one in the place of the one before it."""
    latest = {(one.figure, one.data): one for one in [*kept, *new]}
    order = {figure.name: place for place, figure in enumerate(ALL)}
    known = [one for one in latest.values() if one.figure in order]
    return sorted(known, key=lambda one: (order[one.figure], one.data))


def _parsed(cells: dict[str, str]) -> Row:
    numbers: dict[str, Any] = {name: float(cells[name]) for name in ("median", "low", "high")}
    return Row(**(cells | numbers | {"n": int(cells["n"])}))
