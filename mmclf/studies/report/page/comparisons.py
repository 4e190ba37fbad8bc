"""The charts of a study's comparisons, each with its caption and a description in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import numpy as np

from mmclf.plots.cost import ALL_LABELLED, SAME_TIME, cost_figure, pareto
from mmclf.plots.forest import forest_figure
from mmclf.plots.waterfall import waterfall_figure
from mmclf.plots.words import counted, listed, points, quoted, score
from mmclf.studies.report.answer import ends
from mmclf.studies.report.page.method import distinct
from mmclf.studies.report.page.naming import short_name
from mmclf.studies.report.page.parts import figure
from mmclf.studies.report.page.tables import TIME
from mmclf.studies.report.results import ArmResult, Difference, StudyResult

HUNDREDTHS = 100.0


def forest_chart(result: StudyResult) -> str:
    """Each arm's difference to the baseline; empty if there is none.

    Of an attribution those of a single change and of all, as the others are too many to be read.
    """
    drawn = _drawn(result)
    known = [(arm.name, arm.difference) for arm in drawn if arm.difference is not None]
    if not known:
        return ""
    in_order = result.definition.kind.in_order
    if not in_order:
        known.sort(key=lambda pair: -pair[1].estimate.value)
    values, lows, highs, shown = _columns([difference for _, difference in known], HUNDREDTHS)
    names = [short_name(result, name) for name, _ in known]
    axis = "difference to the baseline, F1 points"
    order = "in the order of the ladder" if in_order else "the highest first"
    others = ""
    if len(drawn) < len(result.arms):
        others = (
            " Drawn are the arms with a single change, and the one with all of them, "
            f"{quoted(ends(result)[1].name)}; the other arms are in the table."
        )
    low, high = (points(end(values) / HUNDREDTHS) for end in (min, max))
    return figure(
        "differences",
        forest_figure(names, values, lows, highs, shown, axis),
        "Differences to the baseline",
        f"{counted(len(known), 'arm')} against the baseline {quoted(result.baseline.name)}, "
        f"{order}, with 95 % intervals. Filled where a difference is shown; hollow and grey where "
        f"the interval holds 0, which chance alone can bring about.{others}",
        f"From {low} to {high} F1 points; {sum(shown)} of {len(known)} differences are shown.",
    )


def _drawn(result: StudyResult) -> list[ArmResult]:
    """The arms whose differences are drawn."""
    if not result.definition.kind.many_arms:
        return list(result.arms)
    start, end = ends(result)
    return [
        arm
        for arm in result.arms
        if arm.name in (start.name, end.name, result.baseline.name)
        or sum(level != start.levels.get(name) for name, level in arm.levels.items()) == 1
    ]


def waterfall_chart(result: StudyResult) -> str:
    """What each change of a ladder or an attribution adds; empty unless both ends have a score."""
    start, end = ends(result)
    if start.score is None or end.score is None:
        return ""
    first, last = (start.name, start.score.value), (end.name, end.score.value)
    names = [effect.name for effect in result.effects]
    values, lows, highs, shown = _columns([one.difference for one in result.effects], 1.0)
    axis = result.definition.deciding.words
    told = [f"{name} {points(value)}" for name, value in zip(names, values, strict=True)]
    return figure(
        "waterfall",
        waterfall_figure(first, names, values, lows, highs, shown, last, axis),
        "What each change adds",
        f"From {quoted(first[0])} to {quoted(last[0])}: a bar each change, which begins where the "
        "one before ends, with its effect in F1 points; whiskers are 95 % intervals of that "
        "effect. Hollow and grey where no effect is shown.",
        f"From {score(first[1])} to {score(last[1])}, in F1 points: {listed(told)}.",
    )


def cost_chart(result: StudyResult) -> str:
    """F1 against running time; empty with fewer than two arms that have both."""
    metric = result.definition.metric
    arms = [arm for arm in result.arms if not math.isnan(arm.mean(metric) + arm.mean(TIME))]
    if len(arms) < 2:
        return ""
    names = [short_name(result, arm.name) for arm in arms]
    # A median, as one run that was held up would move a mean by more than arms differ.
    seconds = np.asarray([median(arm.values(TIME)) for arm in arms])
    noise = np.asarray([arm.deviation(TIME) for arm in arms])
    scores = np.asarray([arm.mean(metric) for arm in arms])
    front = listed([quoted(arms[place].name) for place in pareto(seconds, noise, scores)], 8)
    baseline = short_name(result, result.baseline.name)
    return figure(
        "cost",
        cost_figure(names, seconds, noise, scores, baseline, result.definition.deciding.words),
        "F1 and running time",
        _cost_caption(arms),
        f"{counted(len(arms), 'arm')}, from {seconds.min():.1f} to {seconds.max():.1f} s and from "
        f"{score(float(scores.min()))} to {score(float(scores.max()))}. On the line: {front}.",
    )


def _cost_caption(arms: Sequence[ArmResult]) -> str:
    named = "A name that would cover another is left out."
    if len(arms) > ALL_LABELLED:
        named = (
            "Named are the baseline, the arm with the highest mean and, where there is room, those "
            "on the line."
        )
    runs = [run for arm in arms for run in arm.runs]
    hardware = distinct(runs, "mmclf.cold_hardware") or distinct(runs, "mmclf.hardware")
    return (
        "F1 as the mean over seeds, time as their median. Filled, and joined by the line, are the "
        "arms that no better one is as fast as; two count as equally fast if their times differ "
        f"by no more than {100 * SAME_TIME:g} %, or than the standard deviation between seeds of "
        "either. The time is that of a run with an empty store, which computes everything. "
        f"{named}{' The times are of different hardware.' if len(hardware) > 1 else ''}"
    )


def _columns(
    differences: Sequence[Difference | None], unit: float
) -> tuple[list[float], list[float], list[float], list[bool]]:
    """Values, both ends of the intervals, and whether each is shown; nan of None."""
    found = [None if one is None else one.estimate for one in differences]
    return (
        [math.nan if one is None else unit * one.value for one in found],
        [math.nan if one is None else unit * one.low for one in found],
        [math.nan if one is None else unit * one.high for one in found],
        [one is not None and one.is_shown for one in differences],
    )
