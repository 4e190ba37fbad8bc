"""Runs beside each other in a notebook: a sweep's, or any others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mmclf.errors import InputError
from mmclf.notebook.html import list_html, table_html
from mmclf.plots.cost import cost_figure
from mmclf.plots.learning_curves import learning_curves_figure
from mmclf.plots.words import counted
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.studies.report.tables.rendering import number
from mmclf.studies.report.tables.run_table import COLUMNS, remarks, results

SCORE, TIME = "test/f1_samples", "time/cold_s"
CURVES = ("train/loss", "val/loss", "train/f1_samples", "val/f1_samples")
MOST_CURVES = 2  # runs, whose curves can be told apart in one plot


class RunsReport:
    """Tracked runs, the first one the baseline of plots; a notebook shows their table.

    `parent`: the id of the sweep that they are of, if they are of one.
    """

    def __init__(
        self, tracker: Tracker, tracked: Sequence[TrackedRun], parent: str | None = None
    ) -> None:
        self._tracker, self._runs, self.parent = tracker, list(tracked), parent

    @property
    def run_ids(self) -> list[str]:
        """Of the runs, in their order."""
        return [run.id for run in self._runs]

    @property
    def table(self) -> pd.DataFrame:
        """A row a run: its id, its status, and its tracked values as shares, unrounded."""
        table = results(self._runs)
        table.insert(0, "run_id", self.run_ids)
        table.insert(1, "status", [run.status for run in self._runs])
        return table

    def plot_cost(self) -> Figure:
        """F1 on the test set against the running time, of the finished runs."""
        metrics = [run.metrics for run in self._runs]
        rows = [row for row, of in enumerate(metrics) if SCORE in of and TIME in of]
        if not rows:
            raise InputError("plot_cost: no run has finished")
        names = [self._runs[row].name for row in rows]
        seconds, scores = (np.asarray([metrics[r][key] for r in rows]) for key in (TIME, SCORE))
        unknown = np.full(len(rows), math.nan)
        axis = "samples-F1 on the test set, points"
        return cost_figure(names, seconds, unknown, scores, names[0], axis)

    def plot_learning(self, run_ids: Sequence[str] = ()) -> Figure:
        """Loss and F1 over the epochs, of two runs at most: the first ones, unless named."""
        chosen = list(run_ids) if run_ids else self.run_ids[:MOST_CURVES]
        unknown = [run_id for run_id in chosen if run_id not in self.run_ids]
        if unknown or len(chosen) > MOST_CURVES:
            what = f"{unknown[0]!r}" if unknown else f"{len(chosen)} runs"
            raise InputError(f"run_ids: found {what}, expected up to {MOST_CURVES} of .run_ids")
        names = {run.id: run.name for run in self._runs}
        histories = {
            names[run_id]: {key: [self._tracker.history(run_id, f"epoch/{key}")] for key in CURVES}
            for run_id in chosen
        }
        return learning_curves_figure(histories)

    def __repr__(self) -> str:
        """As `RunsReport(4 runs)`."""
        return f"{type(self).__name__}({counted(len(self._runs), 'run')})"

    def _repr_html_(self) -> str:
        table = results(self._runs)
        spelt = {name: [_spelt(str(name), value) for value in table[name]] for name in table}
        rows = pd.DataFrame(spelt, columns=table.columns, dtype=str).to_numpy().tolist()
        headings = [f"{name}, points" if _is_share(str(name)) else str(name) for name in table]
        return table_html(headings, rows) + list_html(remarks(self._runs))


def _is_share(name: str) -> bool:
    return "/f1" in COLUMNS.get(name, "")


def _spelt(name: str, value: object) -> str:
    """A cell: F1 in points, times in tenths of a second."""
    if not isinstance(value, float):
        return str(value)
    if _is_share(name):
        return number(100 * value, 2)
    return number(value, 1 if COLUMNS.get(name) == TIME else 4)
