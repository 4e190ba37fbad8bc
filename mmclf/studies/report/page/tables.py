"""The tables of a study's page: its arms, its effects and its runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmclf.plots.words import (
    NO_VALUE,
    capital,
    counted,
    interval,
    listed,
    p_value,
    points,
    score,
    shortened,
)
from mmclf.storage.tracking import TrackedRun
from mmclf.studies.report.answer import shown_gain
from mmclf.studies.report.details import LOCAL_UI
from mmclf.studies.report.page.parts import (
    Column,
    element,
    escaped,
    minus,
    number_cell,
    row_head,
    table,
    text_cell,
    value_cell,
)
from mmclf.studies.report.results import ArmResult, Difference, EffectResult, StudyResult

TIME, MAP = "time/cold_s", "test/map"
LONGEST_ERROR = 120
UI_RUNS = (
    "The links lead to the MLflow UI on this machine, which must be running: “make ui” starts it, "
    "or “mlflow ui --backend-store-uri sqlite:///OUTPUT_DIR/mlflow.db”."
)
STATES = {"FAILED": "failed", "KILLED": "interrupted", "RUNNING": "running"}


def beside(metric: str) -> dict[str, str]:
    """What stands beside the deciding metric: the same F1 by other thresholds, and the mAP."""
    kind = metric.removesuffix("_at_0.5").removesuffix("_fitted")
    every = {"own threshold": kind, "at 0.5": f"{kind}_at_0.5", "fitted": f"{kind}_fitted"}
    return {name: key for name, key in every.items() if key != metric} | {"mAP": MAP}


def arms_table(result: StudyResult, runs_url: str | None) -> str:
    """A row an arm: the deciding metric, its difference to the baseline, what it costs, its runs.

    `runs_url` followed by a run's id is its address; None for no links.
    """
    metric = result.definition.metric
    deciding, difference = capital(result.definition.deciding.words), "Difference, F1 points"
    columns = [
        Column("Arm", is_number=False),
        *(Column(title, deciding) for title in ("mean", "SD", "n", "95 % interval")),
        *(Column(title, difference) for title in ("mean", "95 % interval", "p")),
        *(Column(title, "Beside it") for title in beside(metric)),
        Column("Time, s"),
        Column("Runs", is_number=False),
    ]
    one_seed = len(result.definition.seeds) == 1
    of = "the test samples alone" if one_seed else "seeds and test samples together"
    caption = (
        f"The arms. Mean and standard deviation (SD) over the n seeds that have finished; "
        f"intervals for {of}; p corrected for the number of comparisons (Holm). A difference in "
        "bold is shown; 1 F1 point is 0.01. “Fitted” is one threshold for all labels, fitted on "
        "val; the time is that from an empty store."
    )
    rows = [_arm_row(result, arm, runs_url) for arm in result.arms]
    return table("arms-table", caption, columns, rows)


def _arm_row(result: StudyResult, arm: ArmResult, runs_url: str | None) -> list[str]:
    metric, found = result.definition.metric, arm.score
    reach = NO_VALUE
    if found is not None and not math.isnan(found.low):
        reach = f"{score(found.low)} to {score(found.high)}"
    return [
        row_head(_arm_name(result, arm)),
        _mean_cell(arm, metric),
        number_cell(score(arm.deviation(metric))),
        number_cell(str(len(arm.runs)) if arm.runs else NO_VALUE),
        number_cell(reach),
        *_difference_cells(arm.difference, data_arm=arm.name),
        *(_mean_cell(arm, key) for key in beside(metric).values()),
        _mean_cell(arm, TIME),
        text_cell(status(arm, runs_url)),
    ]


def _arm_name(result: StudyResult, arm: ArmResult) -> str:
    marks = []
    if arm.name == result.definition.baseline:
        marks.append("baseline")
    if result.best is not None and arm.name == result.best.name and len(result.arms) > 1:
        marks.append("highest mean")
    told = f" {element('span', ' · '.join(marks), class_='mark')}" if marks else ""
    return f"{escaped(arm.name)}{told}"


def _mean_cell(arm: ArmResult, metric: str) -> str:
    mean = arm.mean(metric)
    return value_cell(shown_value(metric, mean), mean, data_arm=arm.name, data_metric=metric)


def _difference_cells(difference: Difference | None, **data: str) -> list[str]:
    if difference is None:
        return [number_cell(NO_VALUE)] * 3
    found = difference.estimate
    size = escaped(minus(points(found.value)))
    if difference.is_shown:
        size = element("strong", size)
    data |= {"data_difference": repr(float(found.value))}
    return [
        element("td", size, class_="number", **data),
        number_cell(interval(found.low, found.high)),
        number_cell(p_value(difference.p)),
    ]


def shown_value(metric: str, value: float) -> str:
    """A value as a cell shows it: seconds in one digit, anything else in four."""
    if math.isnan(value):
        return NO_VALUE
    return f"{value:.1f}" if metric.startswith("time/") else score(value)


def status(arm: ArmResult, runs_url: str | None) -> str:
    """How many runs of an arm there are, with links, and why the others are not, as HTML."""
    if not arm.runs and not arm.failed:
        return "not run"
    parts = []
    if arm.runs:
        parts.append(f"{counted(len(arm.runs), 'run')}{_seed_links(arm.runs, runs_url)}")
    for state in dict.fromkeys(run.status for run in arm.failed):
        runs = [run for run in arm.failed if run.status == state]
        errors = dict.fromkeys(shortened(error_of(run), LONGEST_ERROR) for run in runs)
        told = escaped("; ".join(filter(None, errors)))
        links = _seed_links(runs, runs_url)
        parts.append(
            f"{len(runs)} {escaped(state_words(state))}{links}{': ' if told else ''}{told}"
        )
    if arm.missing:
        seeds = listed([str(seed) for seed in arm.missing])
        parts.append(f"{'seed' if len(arm.missing) == 1 else 'seeds'} {seeds} not run")
    return ", ".join(parts)


def _seed_links(runs: Sequence[TrackedRun], runs_url: str | None) -> str:
    """As ` (seeds 0, 1)`, each a link to its run; empty if there is nothing to link to."""
    if not _can_link(runs_url):
        return ""
    seeds = [escaped(run.tags.get("mmclf.seed", NO_VALUE)) for run in runs]
    links = [_link(run, seed, runs_url) for run, seed in zip(runs, seeds, strict=True)]
    return f" ({'seed' if len(runs) == 1 else 'seeds'} {', '.join(links)})"


def error_of(run: TrackedRun) -> str:
    """Why a run failed, as far as that is tracked."""
    return run.tags.get("mmclf.error", "")


def state_words(status_: str) -> str:
    """A status of MLflow in a word."""
    return STATES.get(status_, status_.lower())


def effects_table(result: StudyResult) -> str:
    """A row a change of a ladder or an attribution, and what of the gain it accounts for."""
    columns = [
        Column("Change", is_number=False),
        *(Column(title, "Effect, F1 points") for title in ("mean", "95 % interval", "p")),
        Column("Share of the gain"),
        Column("Seeds"),
    ]
    caption = (
        f"What each change accounts for, {result.definition.kind.part}. p corrected for the "
        "number of changes (Holm); an effect in bold is shown. A share is given where the "
        "whole gain is shown."
    )
    whole = shown_gain(result)
    rows = [_effect_row(effect, whole) for effect in result.effects]
    return table("effects-table", caption, columns, rows)


def _effect_row(effect: EffectResult, whole: float) -> list[str]:
    found = effect.difference
    known = found is not None and not math.isnan(whole)
    share = f"{100 * found.estimate.value / whole:.0f} %" if found and known else NO_VALUE
    return [
        row_head(escaped(effect.name)),
        *_difference_cells(found, data_effect=effect.name),
        number_cell(share),
        number_cell(NO_VALUE if found is None else str(found.estimate.seeds)),
    ]


def runs_table(result: StudyResult, runs_url: str | None) -> str:
    """A row a run, arms in the study's order, the failed ones after the finished ones of each."""
    metrics = tuple(
        dict.fromkeys([result.definition.metric, "test/f1_macro", "test/f1_micro", MAP, TIME])
    )
    columns = [
        Column("Arm", is_number=False),
        Column("Seed"),
        Column("Status", is_number=False),
        *(Column("Time, s" if key == TIME else key.removeprefix("test/")) for key in metrics),
        Column("MLflow run", is_number=False),
    ]
    rows = [
        _run_row(arm.name, run, metrics, runs_url)
        for arm in result.arms
        for run in (*arm.runs, *arm.failed)
    ]
    caption = "All runs, with the metrics that are tracked of each; F1 and mAP of the test set."
    if runs_url is not None and runs_url.startswith(f"{LOCAL_UI}/"):
        caption = f"{caption} {UI_RUNS}"
    return table("runs-table", caption, columns, rows)


def _run_row(arm: str, run: TrackedRun, metrics: Sequence[str], runs_url: str | None) -> list[str]:
    state = "finished" if run.status == "FINISHED" else state_words(run.status)
    error = shortened(error_of(run), LONGEST_ERROR)
    cells = []
    for key in metrics:
        value = run.metrics.get(key, math.nan)
        cells.append(value_cell(shown_value(key, value), value, data_run=run.id, data_metric=key))
    return [
        row_head(escaped(arm)),
        number_cell(run.tags.get("mmclf.seed", NO_VALUE)),
        text_cell(escaped(f"{state}: {error}" if error else state)),
        *cells,
        text_cell(_run_id(run, runs_url)),
    ]


def _run_id(run: TrackedRun, runs_url: str | None) -> str:
    name = element("code", escaped(run.id[:8]))
    if not _can_link(runs_url):
        return element("span", name, title=run.id)
    return _link(run, name, runs_url)


def _can_link(runs_url: str | None) -> bool:
    return runs_url is not None and runs_url.startswith(("http://", "https://"))


def _link(run: TrackedRun, inner: str, runs_url: str | None) -> str:
    return element("a", inner, href=f"{runs_url}{run.id}", title=run.id, rel="noreferrer")
