"""The tables of a study's page: those of its files, and all runs, with their heads."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from mmclf.plots.words import capital, counted, listed, points, shortened
from mmclf.storage.tracking import TrackedRun
from mmclf.studies.report.result.read_labels import LabelResult
from mmclf.studies.report.result.study_result import MAP, TIME, ArmResult, EffectResult, StudyResult
from mmclf.studies.report.tables.label_tables import shown_labels_table
from mmclf.studies.report.tables.rendering import NO_VALUE, Format, in_digits, in_points
from mmclf.studies.report.tables.study_tables import (
    DIFFERENCE,
    FORMATS,
    RATIO,
    SECONDS,
    STOPPED,
    beside_metrics,
    effects_table,
    spans,
)
from mmclf.studies.report.words.answer import shown_gain

DASH, MINUS = "\N{EM DASH}", "\N{MINUS SIGN}"
LONGEST_ERROR = 120
STATES = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "interrupted", "RUNNING": "running"}


@dataclass(frozen=True)
class Column:
    """A column of a DataFrame on the page: its title, and the group of columns that it is in.

    `format` spells its numbers; None for a column of texts.
    """

    name: str
    title: str
    group: str = ""
    format: Format | None = None

    def spelt(self, value: Any) -> str:
        """A cell as text."""
        if pd.isna(value) or value == NO_VALUE or self.format is None:
            return DASH if pd.isna(value) or value == NO_VALUE else str(value)
        return self.format(value).replace("-", MINUS)


@dataclass(frozen=True)
class PageTable:
    """A DataFrame on the page; `key` is its id.

    `row_key`: the column that names a row. `shown`: rows whose difference is a shown one.
    """

    key: str
    columns: Sequence[Column]
    frame: pd.DataFrame
    row_key: str
    shown: frozenset[str] = frozenset()

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The groups of columns with how many they have; empty where there is no group."""
        groups = [(name, len(list(of))) for name, of in groupby(c.group for c in self.columns)]
        return groups if any(name for name, _ in groups) else []

    @property
    def rows(self) -> list[dict[Hashable, Any]]:
        """The rows, by the names of the columns."""
        return self.frame.to_dict("records")


def arms_page_table(result: StudyResult, table: pd.DataFrame) -> PageTable:
    """A row an arm: its verdict, the difference to the baseline, the deciding metric, and runs.

    `table`: that of the arms (`arms_table`).
    """
    definition = result.definition
    deciding = f"{capital(definition.deciding.words)}, points"
    columns = [
        Column("Arm", "Arm"),
        *_verdict_columns(result),
        *_difference_columns(result, f"Difference, {definition.unit}"),
        Column(definition.metric, "mean", deciding, in_points),
        Column("n", "n", deciding, in_digits(0)),
        Column("SD", "SD", deciding, in_points),
        Column("CI 95 %", "95 % interval", deciding, str),
        Column(SECONDS, "Time, s", "", FORMATS[SECONDS]),
        Column("Runs", "Runs"),
    ]
    frame = _with_intervals(table)
    frame["CI 95 %"] = spans(frame, ("", "CI low", "CI high"), in_points)
    frame["n"] = frame["n"].astype(float).replace(0.0, math.nan)
    return PageTable("arms-table", columns, frame, "Arm", _shown(result.arms))


def beside_page_table(result: StudyResult, table: pd.DataFrame) -> PageTable:
    """A row an arm of their `table`: what it is by other metrics, and how its time compares."""
    definition, frame = result.definition, table.copy()
    columns = [Column("Arm", "Arm")]
    for name in beside_metrics(definition):
        columns.append(Column(name, "mean", f"{name}, points", in_points))
        ends = ("", f"{name} diff. low", f"{name} diff. high")
        if frame[f"{name} diff."].notna().any():
            frame[f"{name} diff. 95 %"] = spans(frame, ends, points)
            columns += [
                Column(f"{name} diff.", "difference", f"{name}, points", points),
                Column(f"{name} diff. 95 %", "95 % interval", f"{name}, points", str),
            ]
    frame["Time ratio 95 %"] = spans(frame, ("", *RATIO[1:]), in_digits(2))
    columns += [
        Column(SECONDS, "s", "Running time", FORMATS[SECONDS]),
        Column(RATIO[0], "ratio", "Running time", in_digits(2)),
        Column("Time ratio 95 %", "95 % interval", "Running time", str),
    ]
    return PageTable("beside-table", columns, frame, "Arm")


def _verdict_columns(result: StudyResult) -> list[Column]:
    stopped = [] if result.looks is None else [Column(STOPPED, STOPPED)]
    return [Column("Verdict", "Verdict"), *stopped]


def _difference_columns(result: StudyResult, group: str) -> list[Column]:
    mean = Column("Difference", "mean", group, points)
    if result.looks is not None:
        return [mean, Column("Diff. 95 %", "95 % interval after stopping", group, str)]
    return [
        mean,
        Column("Diff. 95 %", "95 % interval", group, str),
        Column("Equal 90 %", "90 % interval", group, str),
        Column("p (adjusted)", "p", group, FORMATS["p (adjusted)"]),
    ]


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """The table, and both intervals of its differences as texts."""
    return table.assign(
        **{
            "Diff. 95 %": spans(table, ("", *DIFFERENCE[1:]), points),
            "Equal 90 %": spans(table, ("", "Equal low", "Equal high"), points),
        }
    )


def _shown(of: Sequence[ArmResult | EffectResult]) -> frozenset[str]:
    """The names of those whose difference is shown."""
    return frozenset(
        result.name for result in of if result.difference is not None and result.difference.is_shown
    )


def effects_page_table(result: StudyResult) -> PageTable | None:
    """A row an effect, and where effects add up what of the gain it accounts for; None without."""
    table = effects_table(result)
    if table is None:
        return None
    adds_up = result.definition.kind.adds_up
    columns = [
        Column("Effect", "Change"),
        *_verdict_columns(result),
        *_difference_columns(result, f"Effect, {result.definition.unit}"),
    ]
    frame = _with_intervals(table)
    if adds_up:
        columns.append(Column("Share", "Share of the gain", "", _percent))
        frame["Share"] = table["Difference"] / shown_gain(result)
    columns.append(Column("Seeds", "Seeds", "", in_digits(0)))
    frame["Seeds"] = table["Seeds"].astype(float).replace(0.0, math.nan)
    return PageTable("effects-table", columns, frame, "Effect", _shown(result.effects))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def labels_page_table(labels: LabelResult) -> PageTable:
    """A row a label and arm that is shown to lose or to gain, the most costly first."""
    frame = shown_labels_table(labels)
    frame["Key"] = frame["Arm"] + ": " + frame["Label"]
    frame["Diff. 95 %"] = spans(frame, ("", *DIFFERENCE[1:]), points)
    columns = [
        Column("Label", "Label"),
        Column("Arm", "Arm"),
        Column("Positives", "Test samples", "", in_digits(0)),
        Column("Baseline F1", "baseline", "F1, points", in_points),
        Column("F1", "arm", "F1, points", in_points),
        Column("Difference", "mean", "Difference, F1 points", points),
        Column("Diff. 95 %", "95 % interval", "Difference, F1 points", str),
        Column("p (BH)", "p", "Difference, F1 points", FORMATS["p (adjusted)"]),
    ]
    return PageTable("labels-table", columns, frame, "Key")


def runs_page_table(result: StudyResult) -> PageTable:
    """A row a run, arms in the study's order, the failed ones after the finished ones of each."""
    deciding = result.definition.metric
    metrics = dict.fromkeys([deciding, "test/f1_macro", "test/f1_micro", MAP, TIME])
    formats: Mapping[str, Format] = {TIME: FORMATS["Running time (s)"]}
    titles = {TIME: "Time, s"}
    columns = [
        Column("Arm", "Arm"),
        Column("Seed", "Seed", "", str),
        Column("Status", "Status"),
        *(
            Column(key, titles.get(key, key.removeprefix("test/")), "", formats.get(key, in_points))
            for key in metrics
        ),
        Column("run_id", "MLflow run"),
    ]
    rows = [
        {
            "Arm": arm.name,
            "Seed": seed_of(run),
            "Status": ": ".join(filter(None, [STATES.get(run.status, run.status), error_of(run)])),
            **{key: run.metrics.get(key, math.nan) for key in metrics},
            "run_id": run.id,
        }
        for arm in result.arms
        for run in (*arm.runs, *arm.failed)
    ]
    frame = pd.DataFrame(rows, columns=[column.name for column in columns])
    return PageTable("runs-table", columns, frame, "run_id")


def overrides_page_table(result: StudyResult) -> PageTable:
    """What each arm's configuration is."""
    rows = [(arm.name, " ".join(arm.overrides) or NO_VALUE) for arm in result.definition.arms]
    frame = pd.DataFrame(rows, columns=["Arm", "Overrides"])
    columns = [Column("Arm", "Arm"), Column("Overrides", "Overrides")]
    return PageTable("overrides-table", columns, frame, "Arm")


def seed_of(run: TrackedRun) -> str:
    """The seed of a run, as far as that is tracked."""
    return run.tags.get("mmclf.seed", NO_VALUE)


def error_of(run: TrackedRun) -> str:
    """Why a run failed, as far as that is tracked, in few words."""
    return shortened(run.tags.get("mmclf.error", ""), LONGEST_ERROR)


@dataclass(frozen=True)
class RunCount:
    """What became of some seeds of an arm: in words, the runs, and their errors."""

    words: str
    runs: Sequence[TrackedRun] = ()
    errors: str = ""


def run_counts(arm: ArmResult) -> list[RunCount]:
    """What became of every seed of an arm."""
    if not arm.runs and not arm.failed:
        return [RunCount("not run")]
    became = [RunCount(counted(len(arm.runs), "run"), arm.runs)] if arm.runs else []
    for state in dict.fromkeys(run.status for run in arm.failed):
        runs = [run for run in arm.failed if run.status == state]
        errors = "; ".join(filter(None, dict.fromkeys(map(error_of, runs))))
        became.append(RunCount(f"{len(runs)} {STATES.get(state, state)}", runs, errors))
    if arm.missing:
        seeds = listed([str(seed) for seed in arm.missing])
        became.append(RunCount(f"{'seed' if len(arm.missing) == 1 else 'seeds'} {seeds} not run"))
    return became
