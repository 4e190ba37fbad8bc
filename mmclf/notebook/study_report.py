"""A study in a notebook: its answer, its tables as DataFrames, and its plots."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from mmclf.errors import InputError
from mmclf.notebook.html import list_html, paragraph_html, table_html
from mmclf.plots.words import counted
from mmclf.storage.tracking import Tracker
from mmclf.studies.report.page.document import study_plots
from mmclf.studies.report.page.tables import arms_page_table
from mmclf.studies.report.result.read_details import read_details
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.study_tables import arms_table, effects_table, runs_table
from mmclf.studies.report.words.answer import answer

# By the method that draws it, the key of a plot on the page.
PLOTS = {
    "plot_differences": "differences",
    "plot_effects": "waterfall",
    "plot_cost": "cost",
    "plot_labels": "label-scores",
    "plot_thresholds": "threshold-curves",
    "plot_learning": "learning-curves",
    "plot_shares": "label-shares",
}
OF_COMPARISONS = ("plot_differences", "plot_effects", "plot_cost")


class StudyReport:
    """A study's result, or that of two runs compared; a notebook shows its answer and its arms.

    Tables hold shares, unrounded, as the CSV files do; what is for people is in points. `result` is
    all that was found.
    """

    def __init__(self, tracker: Tracker, result: StudyResult) -> None:
        self._tracker, self.result = tracker, result

    @property
    def id(self) -> str:
        """Of the study's parent run."""
        return self.result.parent.id

    @property
    def run_ids(self) -> list[str]:
        """Of the finished runs, in the order of the arms."""
        return [run.id for arm in self.result.arms for run in arm.runs]

    @property
    def answer(self) -> str:
        """The answer to the study's question, in lines of text."""
        return answer(self.result).text

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row an arm: the deciding metric, the difference to the baseline, and what it costs."""
        return arms_table(self.result)

    @property
    def effects(self) -> pd.DataFrame | None:
        """A row an effect that the study asks for; None where these are the arms' differences."""
        return effects_table(self.result)

    @property
    def runs(self) -> pd.DataFrame:
        """A row a finished run: its arm, its seed, its id, its metrics."""
        return runs_table(self.result)

    def plot_differences(self) -> Figure:
        """Each arm's difference to the baseline, with its intervals."""
        return self._plot("plot_differences")

    def plot_effects(self) -> Figure:
        """What each change adds; of designs whose effects add up."""
        return self._plot("plot_effects")

    def plot_cost(self) -> Figure:
        """The deciding metric against the running time."""
        return self._plot("plot_cost")

    def plot_labels(self) -> Figure:
        """The F1 of each label, of the baseline and the best other arm, as the following ones."""
        return self._plot("plot_labels")

    def plot_thresholds(self) -> Figure:
        """F1 against the threshold."""
        return self._plot("plot_thresholds")

    def plot_learning(self) -> Figure:
        """Loss and F1 over the epochs."""
        return self._plot("plot_learning")

    def plot_shares(self) -> Figure:
        """Each label's share of the parts of the split."""
        return self._plot("plot_shares")

    @cached_property
    def _compared(self) -> Mapping[str, Figure]:
        """Plots of what the result holds."""
        return {plot.key: plot.figure for plot in study_plots(self.result, None)}

    @cached_property
    def _detailed(self) -> Mapping[str, Figure]:
        """All plots, for which curves and predictions of runs are fetched."""
        details = read_details(self._tracker, self.result)
        return {plot.key: plot.figure for plot in study_plots(self.result, details)}

    def _plot(self, name: str) -> Figure:
        figures = self._compared if name in OF_COMPARISONS else self._detailed
        figure = figures.get(PLOTS[name])
        if figure is None:
            drawn = ", ".join(method for method, key in PLOTS.items() if key in figures)
            raise InputError(
                f"{name}: there is nothing of it to draw in {self.result.definition.name}: this "
                f"one has {drawn or 'no plot, as no run has finished'}"
            )
        return figure

    def __repr__(self) -> str:
        """As `StudyReport(loss: 6 arms, 18 finished runs)`."""
        arms, runs = (
            counted(len(self.result.arms), "arm"),
            counted(len(self.run_ids), "finished run"),
        )
        return f"{type(self).__name__}({self.result.definition.name}: {arms}, {runs})"

    def _repr_html_(self) -> str:
        reply, page_table = answer(self.result), arms_page_table(self.result, self.table)
        columns = [column for column in page_table.columns if column.name != "Runs"]
        headings = [column.title if column.title != "mean" else column.group for column in columns]
        rows = [[column.spelt(row[column.name]) for column in columns] for row in page_table.rows]
        parts = [
            paragraph_html(self.result.definition.question),
            paragraph_html(reply.headline),
            list_html(reply.bullets),
            list_html(self.result.notes),
            table_html(headings, rows, texts=2),
        ]
        return "".join(parts)
