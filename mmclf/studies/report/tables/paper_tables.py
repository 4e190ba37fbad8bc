"""A study's tables, and that of runs, as a paper has them: LaTeX floats, in F1 points."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd

from mmclf.plots.words import counted, points
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.column_choice import chosen
from mmclf.studies.report.tables.latex import (
    NO_VALUE,
    LatexColumn,
    bold,
    grey,
    latex_number,
    latex_text,
    table_float,
)
from mmclf.studies.report.tables.rendering import Format, in_digits, number, p_value
from mmclf.studies.report.tables.study_tables import (
    DIFFERENCE,
    RATIO,
    SECONDS,
    STOPPED,
    tables,
)
from mmclf.studies.statistics.verdicts import Difference

# What a float has unless columns are asked for: what fits a page.
DEFAULT = ("arm", "n", "mean", "difference", "verdict", "stopped", "p", "time")
SHOWN = ("better", "worse", "baseline")
P = "p (adjusted)"


def paper_tables(result: StudyResult, columns: Sequence[str] | None = None) -> dict[str, str]:
    """The tables `results`, and `effects` where there are some, as LaTeX; `columns` by short names.

    The best mean is bold, what is not shown is grey. Means have their standard deviation.
    """
    names = DEFAULT if columns is None else columns
    metric, floats = result.definition.metric, {}
    for key, table in tables(result).items():
        made = _columns(result, chosen(table, names, metric), table)
        suffix = "" if key == "results" else f"-{key}"
        caption = _caption(result, key, [str(name) for name in chosen(table, names, metric)])
        if made:
            floats[key] = table_float(made, caption, f"{result.definition.name}{suffix}")
    return floats


def run_paper_table(table: pd.DataFrame, columns: Sequence[str]) -> str:
    """The table of runs as LaTeX: shares (`columns`) in points, the best of each in bold.

    The first column names the runs. Of losses and times the lowest is the best.
    """
    made = [LatexColumn(latex_text(str(table.columns[0])), _texts(table.iloc[:, 0]), is_text=True)]
    for name in table.columns[1:]:
        values = table[name]
        if not pd.api.types.is_numeric_dtype(values):
            made.append(LatexColumn(latex_text(str(name)), _texts(values), is_text=True))
            continue
        scale, digits = (100.0, 2) if name in columns else (1.0, 1 if "(s)" in str(name) else 4)
        texts = [number(scale * value, digits) for value in values]
        best = _best([float(value) for value in values], higher=name in columns)
        cells = [latex_number(text) for text in texts]
        made.append(
            LatexColumn(
                latex_text(str(name)),
                [bold(cell) if row in best else cell for row, cell in enumerate(cells)],
            )
        )
    caption = "Runs: F1 in points; the best of each column in bold."
    return table_float(made, caption, "runs")


def _texts(values: pd.Series) -> list[str]:
    return [NO_VALUE if pd.isna(value) else latex_text(str(value)) for value in values]


def _best(values: Sequence[float], *, higher: bool) -> set[int]:
    """The rows with the best value, where there are others."""
    finite = [value for value in values if not math.isnan(value)]
    if len(set(finite)) < 2:
        return set()
    best = max(finite) if higher else min(finite)
    return {row for row, value in enumerate(values) if value == best}


@dataclass(frozen=True)
class Rows:
    """The rows of a table of a study, whole, whatever columns of it are wanted.

    `with_deviation`: whether a mean has its standard deviation beside it.
    """

    table: pd.DataFrame
    metric: str
    heading: str
    best: str | None
    with_deviation: bool

    def texts(self, name: str) -> LatexColumn:
        """A column of texts."""
        return LatexColumn(name, _texts(self.table[name]), is_text=True)

    def numbers(self, name: str, heading: str, spell: Format) -> LatexColumn:
        """A column of numbers."""
        cells = ["-" if pd.isna(value) else spell(value) for value in self.table[name]]
        return LatexColumn(heading, [latex_number(cell) for cell in cells])

    def spans(self, names: Sequence[str], heading: str, spell: Callable[..., str]) -> LatexColumn:
        """A column of several columns' values in one cell."""
        values = self.table[list(names)].to_numpy().tolist()
        return LatexColumn(heading, [spell(*row) for row in values])

    def means(self) -> LatexColumn:
        """The deciding metric, the best in bold."""
        deviations = self.table["SD"] if self.with_deviation else [math.nan] * len(self.table)
        rows = zip(self.table["Arm"], self.table[self.metric], deviations, strict=True)
        cells = [_mean(mean, deviation, is_best=arm == self.best) for arm, mean, deviation in rows]
        return LatexColumn(self.heading, cells)

    def counts(self, name: str) -> LatexColumn | None:
        """How many seeds there are, unless it is one number, which stands in the caption."""
        column = self.numbers(name, "$n$", str)
        return column if len(set(column.cells)) > 1 else None

    def greyed(self, column: LatexColumn) -> LatexColumn:
        """The column in grey where no difference is shown."""
        pairs = zip(column.cells, self.table["Verdict"], strict=True)
        cells = [cell if verdict in SHOWN else grey(cell) for cell, verdict in pairs]
        return replace(column, cells=cells)


# By the column of the table that stands for it, how a column of a paper is made.
COLUMNS: Mapping[str, Callable[[Rows], LatexColumn | None]] = {
    "Arm": lambda rows: rows.texts("Arm"),
    "Effect": lambda rows: rows.texts("Effect"),
    "n": lambda rows: rows.counts("n"),
    "Seeds": lambda rows: rows.counts("Seeds"),
    "CI low": lambda rows: rows.spans(("CI low", "CI high"), r"95\,\% interval", _interval),
    "Difference": lambda rows: rows.greyed(rows.spans(DIFFERENCE, "Difference", _difference)),
    "Verdict": lambda rows: rows.greyed(rows.texts("Verdict")),
    STOPPED: lambda rows: rows.greyed(rows.texts(STOPPED)),
    P: lambda rows: rows.greyed(rows.numbers(P, "$p$", p_value)),
    SECONDS: lambda rows: rows.numbers(SECONDS, "Time (s)", in_digits(1)),
    RATIO[0]: lambda rows: rows.numbers(RATIO[0], "Time ratio", in_digits(2)),
    "mAP": lambda rows: rows.numbers("mAP", "mAP", partial(points, signed=False)),
    "Runs": lambda rows: rows.texts("Runs"),
}


def _columns(result: StudyResult, wanted: pd.DataFrame, whole: pd.DataFrame) -> list[LatexColumn]:
    """The LaTeX columns of the wanted ones of a whole table."""
    metric = result.definition.metric
    rows = Rows(
        whole,
        metric,
        latex_text(result.definition.deciding.metric.short),
        None if result.best is None else result.best.name,
        bool("SD" in whole and whole["SD"].notna().any()),
    )
    made = [
        rows.means() if name == metric else COLUMNS[name](rows)
        for name in map(str, wanted)
        if name == metric or name in COLUMNS
    ]
    if "SD" in wanted and metric not in wanted:
        made.append(rows.numbers("SD", "SD", partial(points, signed=False)))
    return [column for column in made if column is not None]


def _mean(mean: float, deviation: float, is_best: bool) -> str:
    """As `86.12 ± 0.34`, in points."""
    if math.isnan(mean):
        return NO_VALUE
    of = points(mean, signed=False)
    # Bold digits are wider, which is left to the mean alone.
    head = bold(of) if is_best else of
    return head if math.isnan(deviation) else rf"{head} $\pm$ {points(deviation, signed=False)}"


def _difference(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return NO_VALUE
    change = latex_number(points(value))
    return change if math.isnan(low) else f"{change} [{_ends(low, high, signed=True)}]"


def _interval(low: float, high: float) -> str:
    return NO_VALUE if math.isnan(low) else f"[{_ends(low, high, signed=False)}]"


def _ends(low: float, high: float, *, signed: bool) -> str:
    return ", ".join(latex_number(points(end, signed=signed)) for end in (low, high))


def _caption(result: StudyResult, key: str, names: Sequence[str]) -> str:
    """What is asked, what the columns are, and what bold and grey mean."""
    definition = result.definition
    baseline = rf"\emph{{{latex_text(result.baseline.name)}}}"
    differences = [of.difference for of in (result.arms if key == "results" else result.effects)]
    parts = [latex_text(" ".join(definition.question.split()))]
    words, unit = latex_text(definition.deciding.words), latex_text(definition.unit)
    if definition.metric in names:
        deviates = any(len(arm.runs) > 1 for arm in result.arms)
        spread = r"mean $\pm$ standard deviation" if deviates else "mean"
        parts.append(f"{words[:1].upper()}{words[1:]}, in points: {spread} over {_seeds(result)}.")
    if "Difference" in names:
        what = f"Difference to {baseline}" if key == "results" else "Each effect"
        level = _interval_words(result, differences)
        parts.append(f"{what} in {unit}, with its {level}.")
    if P in names and result.looks is None and (count := _comparisons(differences)) > 1:
        parts.append(f"$p$ is corrected for {count} comparisons (Bonferroni).")
    marks = ["bold: the best mean"] if definition.metric in names else []
    marks += ["grey: no difference is shown"] if {"Difference", P} & set(names) else []
    if marks:
        legend = "; ".join(marks)
        parts.append(f"{legend[:1].upper()}{legend[1:]}.")
    return " ".join(parts)


def _seeds(result: StudyResult) -> str:
    counts = {len(arm.runs) for arm in result.arms}
    most = counted(max(counts, default=0), "seed")
    return most if len(counts) == 1 else f"up to {most}"


def _comparisons(differences: Sequence[Difference | None]) -> int:
    return max((of.comparisons for of in differences if of is not None), default=0)


def _interval_words(result: StudyResult, differences: Sequence[Difference | None]) -> str:
    if result.looks is not None:
        return r"95\,\% interval after stopping"
    count = _comparisons(differences)
    whole = "" if count < 2 else f", which holds for all {count} comparisons at once"
    return rf"95\,\% interval{whole}"
