"""A study's tables: its arms, the effects that it asks for, and its runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mmclf.studies.definition import Definition
from mmclf.studies.report.results import ArmResult, Difference, StudyResult
from mmclf.studies.report.tables import (
    NO_VALUE,
    SUFFIXES,
    Formats,
    in_digits,
    p_value,
    render,
    signed,
    write_forms,
)

NAN = math.nan
TIME, MAP = "time/cold_s", "test/map"
FORMATS: Formats = {
    **dict.fromkeys(("Difference", "Diff. low", "Diff. high"), signed),
    "p (Holm)": p_value,
    "Running time (s)": in_digits(1),
}
# Where a terminal is narrow, what it leaves out, the first one first.
SPARE = (
    *("SD", "CI 95 %", "mAP", "F1 fitted", "F1 at 0.5", "Running time (s)", "Verdict"),
    *("Runs", "p (Holm)", "n"),
)
RUN_METRICS = (
    *("test/f1_samples", "test/f1_micro", "test/f1_macro", MAP),
    *("test/f1_samples_at_0.5", "test/f1_samples_fitted", TIME, "time/wall_s"),
)


def fair_metrics(definition: Definition) -> dict[str, str]:
    """What stands beside the deciding metric: the same one at 0.5 and fitted, and mAP."""
    short = definition.deciding.metric.short
    return {
        f"{short} at 0.5": definition.deciding.key("_at_0.5"),
        f"{short} fitted": definition.deciding.key("_fitted"),
        "mAP": MAP,
    }


def arms_table(result: StudyResult, beside: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A row an arm: the deciding metric, its difference to the baseline, and what it costs.

    Values are unrounded; NaN where there is none. `beside`: the metrics of further columns, by
    their names, `fair_metrics` unless given.
    """
    others = fair_metrics(result.definition) if beside is None else beside
    table = pd.DataFrame([_arm_row(result, arm, others) for arm in result.arms])
    texts_and_counts = ("Arm", "n", "Verdict", "Runs")
    return table.astype({name: float for name in table if name not in texts_and_counts})


def _arm_row(result: StudyResult, arm: ArmResult, beside: Mapping[str, str]) -> dict[str, object]:
    metric, score = result.definition.metric, arm.score
    return {
        "Arm": arm.name,
        "n": len(arm.runs),
        metric: arm.mean(metric),
        "SD": arm.deviation(metric),
        "CI low": NAN if score is None else score.low,
        "CI high": NAN if score is None else score.high,
        **_difference_cells(arm.difference),
        **{name: arm.mean(key) for name, key in beside.items()},
        "Running time (s)": arm.mean(TIME),
        "Verdict": "baseline" if arm is result.baseline else verdict(arm.difference),
        "Runs": run_state(arm),
    }


def _difference_cells(difference: Difference | None) -> dict[str, float]:
    if difference is None:
        return dict.fromkeys(("Difference", "Diff. low", "Diff. high", "p (Holm)"), NAN)
    return {
        "Difference": difference.estimate.value,
        "Diff. low": difference.estimate.low,
        "Diff. high": difference.estimate.high,
        "p (Holm)": difference.p,
    }


def verdict(difference: Difference | None) -> str:
    """What may be said of a difference, in a few words; never a win if its interval holds 0."""
    if difference is None:
        return "not compared"
    if difference.estimate.holds_zero:
        return "no difference shown: the interval holds 0"
    if not difference.is_shown:
        return "not shown after correction"
    direction = "higher" if difference.estimate.value > 0 else "lower"
    return direction if difference.estimate.seeds > 1 else f"{direction}, for one seed"


def run_state(arm: ArmResult) -> str:
    """How many runs of an arm there are, and why the others are not, in a few words."""
    parts = [f"{len(arm.runs)} finished"]
    if arm.failed:
        seeds = ", ".join(run.tags["mmclf.seed"] for run in arm.failed)
        parts.append(f"{len(arm.failed)} failed (seed {seeds})")
    if arm.missing:
        parts.append(f"{len(arm.missing)} not run")
    return ", ".join(parts)


def effects_table(result: StudyResult) -> pd.DataFrame | None:
    """A row an effect of a design whose effects add up; None for other designs."""
    if not result.definition.kind.adds_up:
        return None
    rows = [
        {"Effect": effect.name}
        | _difference_cells(effect.difference)
        | {"Verdict": verdict(effect.difference)}
        for effect in result.effects
    ]
    return pd.DataFrame(rows)


def runs_table(result: StudyResult) -> pd.DataFrame:
    """A row a finished run: its arm, its seed, its id, and its tracked metrics."""
    rows = [
        {"arm": arm.name, "seed": run.tags["mmclf.seed"], "run_id": run.id}
        | {metric: run.metrics.get(metric, NAN) for metric in RUN_METRICS}
        for arm in result.arms
        for run in arm.runs
    ]
    return pd.DataFrame(rows, columns=["arm", "seed", "run_id", *RUN_METRICS])


def tables(result: StudyResult) -> dict[str, pd.DataFrame]:
    """The tables by the names of their files: `results`, and `effects` where there are some."""
    effects = effects_table(result)
    return {"results": arms_table(result)} | ({} if effects is None else {"effects": effects})


def narrow(table: pd.DataFrame, formats: Formats = FORMATS) -> pd.DataFrame:
    """The table with each interval in one column, as text: `CI 95 %` of `CI low` and `CI high`."""
    columns: dict[str, object] = {}
    for name in map(str, table):
        kind, _, end = name.rpartition(" ")
        if end == "low":
            spell = formats.get(name, in_digits(4))
            pairs = zip(table[name], table[f"{kind} high"], strict=True)
            columns[f"{kind} 95 %"] = [
                NO_VALUE if math.isnan(low) else f"{spell(low)} to {spell(high)}"
                for low, high in pairs
            ]
        elif end != "high":
            columns[name] = table[name]
    return pd.DataFrame(columns)


def in_form(table: pd.DataFrame, form: str) -> pd.DataFrame:
    """The table as a form has it: for LaTeX as narrow as a page."""
    return (
        narrow(table).drop(columns=["Verdict", "Runs"], errors="ignore") if form == "tex" else table
    )


def write_tables(folder: Path, result: StudyResult) -> None:
    """`results.{txt,md,csv,tex}`, likewise `effects` where there are some, and `runs.csv`."""
    for old in folder.glob("effects.*"):
        # Of a design before this one, which had some.
        old.unlink()
    for name, table in tables(result).items():
        write_forms(folder, name, {form: in_form(table, form) for form in SUFFIXES}, FORMATS)
    (folder / "runs.csv").write_text(render(runs_table(result), "csv"), encoding="utf-8")
