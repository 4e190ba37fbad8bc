"""Whether two recordings of the same configurations hold the same numbers, to the last digit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

# A metric's name where it once held the epochs' values and, one step later, the final one; and the
# name that the epochs' values have had since.
CURVES: Mapping[str, str] = {
    f"{part}/{name}": f"epoch/{part}/{name}"
    for part in ("train", "val")
    for name in ("loss", "f1_macro", "f1_micro", "f1_samples", "map")
}
TIMES = ("time/", "speed/", "cost/")
# Columns of the tables that hold no number of the model's: times, names of runs.
COLUMNS_APART = ("Running time (s)", "run_id", "Model")
# How many of a table's first columns say what a row is of.
NAMING_COLUMNS: Mapping[str, int] = {"runs.csv": 2}
# Parameters that say where a run is, not what it is, and the places of mmclf's own parts.
PARAMS_APART = ("output_dir", "data.root", "store.", "tracking.")
OWN_PARTS = "mmclf."

Value = str | float
Points = Sequence[tuple[int, float]]


@dataclass(frozen=True)
class Run:
    """A tracked run: of each metric its (step, value) points, of each predicted array a digest."""

    status: str
    metrics: Mapping[str, Points]
    params: Mapping[str, str]
    arrays: Mapping[str, str]


@dataclass(frozen=True)
class CommandResult:
    """What a configuration came to: its runs by name, its tables' rows by file, its failure.

    `failure`: the last lines of a command that went wrong, None if it went well.
    """

    overrides: Sequence[str]
    seconds: float
    failure: str | None
    runs: Mapping[str, Run]
    tables: Mapping[str, Sequence[Mapping[str, str]]]


@dataclass(frozen=True)
class Difference:
    """A value that differs; `new` None where the new tree lacks it."""

    where: str
    key: str
    old: Value
    new: Value | None


@dataclass(frozen=True)
class Comparison:
    """How many values were compared, those that differ, and keys that only the new tree has."""

    compared: int
    differences: tuple[Difference, ...]
    only_new: tuple[str, ...]


def compare(old: CommandResult, new: CommandResult | None) -> Comparison:
    """Compare the results of one configuration in both trees.

    Whatever the old one has the new one must have too, but for parameters, which are compared
    where both have them.
    """
    failures = [
        Difference("the command", f"failed in the {name} tree", result.failure, result.failure)
        for name, result in (("old", old), ("new", new))
        if result is not None and result.failure is not None
    ]
    if new is None or failures:
        missing = [Difference("the command", "was not recorded", "recorded", None)]
        return Comparison(0, tuple(failures or missing), ())
    if list(old.overrides) != list(new.overrides):
        commands = " ".join(old.overrides), " ".join(new.overrides)
        return Comparison(0, (Difference("the command", "overrides", *commands),), ())
    before, after = dict(_values(old)), dict(_values(new))
    params_before, params_after = dict(_params(old)), dict(_params(new))
    shared = params_before.keys() & params_after.keys()
    before |= {place: params_before[place] for place in shared}
    differences = [
        Difference(*place, value, after.get(place, params_after.get(place)))
        for place, value in before.items()
        if not same(value, after.get(place, params_after.get(place)))
    ]
    added = [key for _, key in (after | params_after).keys() - (before | params_before).keys()]
    return Comparison(len(before), tuple(differences), tuple(sorted(set(added))))


def same(old: Value, new: Value | None) -> bool:
    """Whether two values are the same text or the same number, to the last digit; NaN is NaN."""
    if new is None:
        return False
    if old == new:
        return True
    try:
        first, second = float(old), float(new)
    except ValueError:
        return False
    return first == second or (math.isnan(first) and math.isnan(second))


def metric_values(metrics: Mapping[str, Points]) -> dict[str, float]:
    """The final value of each metric under its name, and the epochs' under CURVES', step by step.

    Times are left out. A run that has curves of their own has final values alone under the others.
    """
    has_curves = not metrics.keys().isdisjoint(CURVES.values())
    values: dict[str, float] = {}
    for key, points in metrics.items():
        if key.startswith(TIMES):
            continue
        *curve, final = sorted(points)
        if key in CURVES.values():
            values |= _curve(key, [*curve, final])
            continue
        values[key] = final[1]
        if key in CURVES and not has_curves:
            values |= _curve(CURVES[key], curve)
    return values


def _curve(name: str, points: Points) -> dict[str, float]:
    return {f"{name}, step {step}": value for step, value in points}


def _values(result: CommandResult) -> Iterator[tuple[tuple[str, str], Value]]:
    """All that must be the same, by where it stands and its key."""
    for name, run in result.runs.items():
        yield (name, "status"), run.status
        values: Mapping[str, Value] = {**metric_values(run.metrics), **run.arrays}
        for key, value in values.items():
            yield (name, key), value
    for name, rows in result.tables.items():
        for row in rows:
            label = ", ".join([name, *list(row.values())[: NAMING_COLUMNS.get(name, 1)]])
            for column, cell in row.items():
                if column not in COLUMNS_APART and not column.startswith(TIMES):
                    yield (label, column), cell


def _params(result: CommandResult) -> Iterator[tuple[tuple[str, str], Value]]:
    for name, run in result.runs.items():
        for key, value in run.params.items():
            if not key.startswith(PARAMS_APART) and not value.startswith(OWN_PARTS):
                yield (name, f"parameter {key}"), value
