"""A study's tables: its arms, the effects that it asks for, and its runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mmclf.studies.report.results import ArmResult, Difference, StudyResult
from mmclf.studies.report.table import NO_VALUE, render

NAN = math.nan
FORMS = (("text", "txt"), ("md", "md"), ("csv", "csv"), ("tex", "tex"))
RUN_METRICS = (
    *("test/f1_samples", "test/f1_micro", "test/f1_macro", "test/map"),
    *("test/f1_samples_at_0.5", "test/f1_samples_fitted", "time/cold_s", "time/wall_s"),
)


def fair_metrics(metric: str) -> dict[str, str]:
    """What stands beside the deciding metric: its kind of F1 at 0.5 and fitted, and mAP."""
    kind = metric.removeprefix("test/f1_").partition("_")[0]
    return {
        "F1 at 0.5": f"test/f1_{kind}_at_0.5",
        "F1 fitted": f"test/f1_{kind}_fitted",
        "mAP": "test/map",
    }


def arms_table(result: StudyResult) -> pd.DataFrame:
    """A row an arm: the deciding metric, its difference to the baseline, and what it costs.

    Values are unrounded; NaN where there is none.
    """
    rows = [_arm_row(result, arm) for arm in result.arms]
    table = pd.DataFrame(rows)
    texts_and_counts = ("Arm", "n", "Verdict", "Runs")
    return table.astype({name: float for name in table if name not in texts_and_counts})


def _arm_row(result: StudyResult, arm: ArmResult) -> dict[str, object]:
    metric, score = result.definition.metric, arm.score
    return {
        "Arm": arm.name,
        "n": len(arm.runs),
        metric: arm.mean(metric),
        "SD": arm.deviation(metric),
        "CI low": NAN if score is None else score.low,
        "CI high": NAN if score is None else score.high,
        **_difference_cells(arm.difference),
        **{name: arm.mean(key) for name, key in fair_metrics(metric).items()},
        "Running time (s)": arm.mean("time/cold_s"),
        "Verdict": verdict(result, arm),
        "Runs": run_state(arm),
    }


def _difference_cells(difference: Difference | None) -> dict[str, float]:
    if difference is None:
        return {"Difference": NAN, "Diff. low": NAN, "Diff. high": NAN, "p (Holm)": NAN}
    found = difference.estimate
    return {
        "Difference": found.value,
        "Diff. low": found.low,
        "Diff. high": found.high,
        "p (Holm)": difference.p,
    }


def verdict(result: StudyResult, arm: ArmResult) -> str:
    """What may be said of an arm beside the baseline, in a few words."""
    if arm.name == result.definition.baseline:
        return "baseline"
    return told(arm.difference)


def told(difference: Difference | None) -> str:
    """What a difference comes to, in a few words; never a win if its interval holds 0."""
    if difference is None:
        return "not compared"
    if difference.estimate.holds_zero:
        return "no difference shown: the interval holds 0"
    if not difference.is_shown:
        return "not shown after correction"
    better = "higher" if difference.estimate.value > 0 else "lower"
    return better if difference.estimate.seeds > 1 else f"{better}, for one seed"


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
    """A row an effect of a ladder or an attribution, and the whole; None for other designs."""
    if not result.definition.kind.adds_up:
        return None
    rows = [
        {
            "Effect": effect.name,
            **_difference_cells(effect.difference),
            "Verdict": told(effect.difference),
        }
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


def tables(result: StudyResult) -> Mapping[str, pd.DataFrame]:
    """The tables by the names of their files: `results`, and `effects` where there are some."""
    found = {"results": arms_table(result)}
    effects = effects_table(result)
    return found if effects is None else found | {"effects": effects}


def in_form(table: pd.DataFrame, form: str) -> pd.DataFrame:
    """The table as a form has it: for LaTeX as narrow as a page, an interval in one column."""
    if form != "tex":
        return table
    told: dict[str, object] = {}
    for name in table:
        if name in ("Verdict", "Runs"):
            continue
        kind, _, end = str(name).rpartition(" ")
        if end == "high":
            continue
        if end == "low":
            told[f"{kind} 95 %"] = _intervals(table[name], table[f"{kind} high"])
        else:
            told[str(name)] = table[name]
    return pd.DataFrame(told)


def _intervals(low: pd.Series, high: pd.Series) -> list[str]:
    pairs = zip(low, high, strict=True)
    return [NO_VALUE if pd.isna(one) else f"{one:.4f} to {other:.4f}" for one, other in pairs]


def write_tables(folder: Path, result: StudyResult) -> None:
    """`results.{txt,md,csv,tex}`, likewise `effects` where there are some, and `runs.csv`."""
    for old in folder.glob("effects.*"):
        # Of a design before this one, which had some.
        old.unlink()
    for name, table in tables(result).items():
        for form, suffix in FORMS:
            told = render(in_form(table, form), form)
            (folder / f"{name}.{suffix}").write_text(told, encoding="utf-8")
    (folder / "runs.csv").write_text(render(runs_table(result), "csv"), encoding="utf-8")
