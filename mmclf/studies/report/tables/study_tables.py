"""A study's tables: its arms, the effects that it asks for, and its runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from mmclf.evaluation.metrics import METRICS, RULES
from mmclf.plots.words import points
from mmclf.studies.definition import Definition
from mmclf.studies.report.result.stopped import effect_of, stopped
from mmclf.studies.report.result.study_result import MAP, TIME, ArmResult, EffectResult, StudyResult
from mmclf.studies.report.tables.cost_columns import (
    COST_FORMATS,
    HEADINGS,
    cost_cells,
    known_costs,
)
from mmclf.studies.report.tables.rendering import (
    NO_VALUE,
    Format,
    Formats,
    in_digits,
    in_points,
    p_value,
)
from mmclf.studies.statistics.estimates import ALPHA
from mmclf.studies.statistics.verdicts import Difference

NAN = math.nan
DIFFERENCE = ("Difference", "Diff. low", "Diff. high")
P_VALUES = ("p", "p (adjusted)")
STOPPED = "Stopped"
SECONDS, RATIO = "Running time (s)", ("Time ratio", "Time ratio low", "Time ratio high")
DECIDING = tuple(f"test/{name}{rule}" for name in METRICS for rule in RULES)
BESIDE = ("F1 own threshold", "F1 at 0.5", "F1 fitted", "mAP")
FORMATS: Formats = {
    **dict.fromkeys((*DECIDING, *BESIDE, "SD"), in_points),
    **dict.fromkeys(P_VALUES, p_value),
    SECONDS: in_digits(1),
    **COST_FORMATS,
}
# Where a terminal is narrow, what it leaves out, the first one first.
SPARE = (*(SECONDS, STOPPED),)
# What is read at a terminal, beside the difference; the rest is in the files and on the page.
SHORT = ("Arm", "Effect", *DECIDING, "Verdict", STOPPED, SECONDS)
# Of the columns, those that the CSV alone has.
IN_CSV_ALONE = ("Single low", "Single high", "Equal low", "Equal high", "p")
RUN_METRICS = (
    *("test/f1_samples", "test/f1_micro", "test/f1_macro", "test/f1_macro_present", MAP),
    *("test/f1_samples_at_0.5", "test/f1_samples_fitted", TIME, "time/wall_s"),
)


def beside_metrics(definition: Definition) -> dict[str, str]:
    """What stands beside the deciding metric: the same one by the other rules, and mAP."""
    short, key = definition.deciding.metric.short, definition.deciding.key
    every = {
        f"{short} own threshold": key(""),
        f"{short} at 0.5": key("_at_0.5"),
        f"{short} fitted": key("_fitted"),
    }
    return {name: of for name, of in every.items() if of != definition.metric} | {"mAP": MAP}


def arms_table(result: StudyResult) -> pd.DataFrame:
    """A row an arm: the deciding metric, its difference to the baseline, and what it costs.

    Values are unrounded; NaN where there is none. `Diff.` is the interval of all comparisons at
    once, `Single` that of the difference alone, `Equal` the 90 % interval; the time's is its own.
    """
    rows = [_arm_row(result, arm) for arm in result.arms]
    unknown = {*HEADINGS} - {*known_costs(rows)}
    table = pd.DataFrame(rows).drop(columns=[*unknown])
    texts_and_counts = ("Arm", "n", "Verdict", STOPPED, "Runs")
    return table.astype({name: float for name in table if name not in texts_and_counts})


def _arm_row(result: StudyResult, arm: ArmResult) -> dict[str, object]:
    metric, score, difference = result.definition.metric, arm.score, arm.difference
    ratio = arm.time_ratio
    times = (NAN,) * 3 if ratio is None else (ratio.value, ratio.low, ratio.high)
    beside: dict[str, float] = {}
    for name, key in beside_metrics(result.definition).items():
        beside[name] = arm.mean(key)
        beside |= _interval_cells(
            (f"{name} diff.", f"{name} diff. low", f"{name} diff. high"), arm.beside.get(key)
        )
    return {
        "Arm": arm.name,
        "n": len(arm.runs),
        metric: arm.mean(metric),
        **_interval_cells(DIFFERENCE, difference),
        "Verdict": "baseline" if arm is result.baseline else verdict(difference),
        **_stopped_cell(result, effect_of(result.definition, arm.name)),
        SECONDS: arm.mean(TIME),
        **dict(zip(RATIO, times, strict=True)),
        "SD": arm.deviation(metric),
        "CI low": NAN if score is None else score.low,
        "CI high": NAN if score is None else score.high,
        **_certainty_cells(difference),
        **beside,
        **cost_cells(arm.mean),
        "Runs": run_state(arm),
    }


def _stopped_cell(result: StudyResult, effect: str | None) -> dict[str, str]:
    """Why an effect got so many seeds, where looks decide that."""
    if result.looks is None:
        return {}
    return {STOPPED: NO_VALUE if effect is None else stopped(result.looks, effect)}


def _interval_cells(names: Sequence[str], difference: Difference | None) -> dict[str, float]:
    """A difference, and the interval of all comparisons at once."""
    if difference is None:
        return dict.fromkeys(names, NAN)
    cells = (difference.estimate.value, difference.low, difference.high)
    return dict(zip(names, cells, strict=True))


def _certainty_cells(difference: Difference | None) -> dict[str, float]:
    """How sure a difference is: the interval of its own, the 90 % one, p alone and corrected."""
    names = ("Single low", "Single high", "Equal low", "Equal high", *P_VALUES)
    if difference is None:
        return dict.fromkeys(names, NAN)
    of, inner = difference.estimate, difference.equal_reach
    reach = of.reach(ALPHA)
    ends = (of.value - reach, of.value + reach, of.value - inner, of.value + inner)
    return dict(zip(names, (*ends, of.p, difference.p), strict=True))


def verdict(difference: Difference | None) -> str:
    """What may be said of a difference, in a word or two."""
    return "not compared" if difference is None else difference.verdict


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
    """A row an effect; None where these are but the arms' differences to the baseline."""
    if not result.definition.asks_effects or not result.effects:
        return None
    return pd.DataFrame([_effect_row(result, effect) for effect in result.effects])


def _effect_row(result: StudyResult, effect: EffectResult) -> dict[str, object]:
    difference = effect.difference
    return {
        "Effect": effect.name,
        **_interval_cells(DIFFERENCE, difference),
        "Verdict": verdict(difference),
        **_stopped_cell(result, effect.name),
        "Seeds": 0 if difference is None else difference.estimate.seeds,
        **_certainty_cells(difference),
    }


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


def reading_difference(unit: str, *, stopped: bool = False) -> str:
    """What the column of differences is called for a reader."""
    return f"Difference, {unit} (95 %{' after stopping' if stopped else ''})"


def reading_table(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    """A table for a reader: differences in hundredths of the metric, their `unit`, as text.

    Each stands with its interval in one column, and what only a further analysis needs is left out.
    """
    columns: dict[str, object] = {}
    beside = [str(name).removesuffix(" diff.") for name in table if str(name).endswith(" diff.")]
    left_out = {f"{name} diff.{end}" for name in beside for end in ("", " low", " high")}
    for name in map(str, table):
        if name == "Difference":
            is_stopped = STOPPED in table
            columns[reading_difference(unit, stopped=is_stopped)] = spans(table, DIFFERENCE, points)
        elif name == RATIO[0]:
            columns[RATIO[0]] = spans(table, RATIO, in_digits(2))
        elif name == "CI low":
            columns["CI 95 %"] = spans(table, ("", "CI low", "CI high"), in_points)
        elif name not in {*DIFFERENCE, *RATIO, "CI high", *IN_CSV_ALONE, *left_out}:
            columns[name] = table[name]
    return pd.DataFrame(columns)


def spans(table: pd.DataFrame, names: Sequence[str], spell: Format) -> list[str]:
    """As `value (low to high)`, or `low to high` without the name of a value, of each row."""
    value, low, high = names
    ends = [
        NO_VALUE if math.isnan(a) or math.isnan(b) else f"{spell(a)} to {spell(b)}"
        for a, b in zip(table[low], table[high], strict=True)
    ]
    if not value:
        return ends
    return [
        NO_VALUE if math.isnan(of) else spell(of) if end == NO_VALUE else f"{spell(of)} ({end})"
        for of, end in zip(table[value], ends, strict=True)
    ]


def in_form(table: pd.DataFrame, form: str, unit: str) -> pd.DataFrame:
    """The table as a form has it: whole as CSV, else for a reader; as text what is read first.

    As LaTeX it is without runs.
    """
    if form == "csv":
        return table
    reading = reading_table(table, unit)
    if form == "text":
        difference = reading_difference(unit, stopped=STOPPED in table)
        return reading[[name for name in reading if name in (*SHORT, difference)]]
    return reading.drop(columns=["Runs"], errors="ignore") if form == "tex" else reading
