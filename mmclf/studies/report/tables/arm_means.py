"""A sweep's results in short: a row an arm, the mean of its seeds and their standard deviation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, stdev

import pandas as pd

from mmclf.plots.words import score
from mmclf.storage.tracking import TrackedRun
from mmclf.studies.report.tables.rendering import NO_VALUE, Formats, in_digits

METRICS: Mapping[str, str] = {
    "Val micro F1": "val/f1_micro",
    "Val macro F1": "val/f1_macro",
    "Test F1": "test/f1_samples",
}
TIME, SECONDS = "time/cold_s", "Time (s)"
FORMATS: Formats = {SECONDS: in_digits(1)}
ONE_ARM = "all runs"
# Where a terminal is narrow, what it leaves out, the first one first.
SPARE = ("Val micro F1", "Val macro F1")
Names = Callable[[TrackedRun], str]


def arm_means(runs: Sequence[TrackedRun], arm: Names) -> pd.DataFrame:
    """A row for each `arm` of the runs, its F1 in points as `84.11 ± 0.32`, as text.

    The deviation is that of the seeds; without two there is none. What has not finished is counted.
    """
    by_arm: dict[str, list[TrackedRun]] = {}
    for run in runs:
        by_arm.setdefault(arm(run) or ONE_ARM, []).append(run)
    rows = []
    for name, of_arm in by_arm.items():
        done = [run for run in of_arm if run.status == "FINISHED"]
        rows.append(
            {
                "Arm": name,
                "Runs": _runs(of_arm, done),
                **{title: _spread(done, key) for title, key in METRICS.items()},
                SECONDS: _mean(list(_values(done, TIME))),
            }
        )
    return pd.DataFrame(rows, columns=["Arm", "Runs", *METRICS, SECONDS])


def _runs(of_arm: Sequence[TrackedRun], done: Sequence[TrackedRun]) -> str:
    if len(done) == len(of_arm):
        return str(len(done))
    return f"{len(done)} of {len(of_arm)}"


def _values(runs: Sequence[TrackedRun], metric: str) -> Iterator[float]:
    return (run.metrics[metric] for run in runs if metric in run.metrics)


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else math.nan


def _spread(runs: Sequence[TrackedRun], metric: str) -> str:
    values = list(_values(runs, metric))
    if not values:
        return NO_VALUE
    spread = f" ± {score(stdev(values))}" if len(values) > 1 else ""
    return f"{score(_mean(values))}{spread}"
