"""The plots of a study's comparisons: what is drawn of its result, and how it is said."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median
from typing import get_args

import numpy as np

from mmclf.plots.cost import ALL_LABELLED, SAME_TIME, cost_figure, pareto
from mmclf.plots.forest import Interval, forest_figure
from mmclf.plots.waterfall import waterfall_figure
from mmclf.plots.words import capital, counted, listed, margin_words, points, quoted, score
from mmclf.studies.report.page.cost_plots import prediction_cost_plots
from mmclf.studies.report.page.plot import ARMS, EFFECTS, Plot, Section
from mmclf.studies.report.result.study_result import TIME, ArmResult, StudyResult, distinct
from mmclf.studies.statistics.verdicts import Difference, Verdict

HUNDREDTHS = 100.0


def forest_plot(result: StudyResult) -> Plot | None:
    """Each arm's difference to the baseline, or where there are many arms, some of them."""
    kind, arms = result.definition.kind, result.drawn
    drawn = [
        interval(result.short_name(arm), arm.difference, HUNDREDTHS)
        for arm in arms
        if arm.difference is not None
    ]
    if not drawn:
        return None
    if not kind.in_order:
        drawn.sort(key=lambda difference: -difference.value)
    order = "in the order of the ladder" if kind.in_order else "the highest first"
    others = ""
    if len(arms) < len(result.arms):
        others = (
            " Drawn are the arms with a single change, and the one with all of them, "
            f"{quoted(result.arms[-1].name)}; the other arms are in the table."
        )
    values = [difference.value / HUNDREDTHS for difference in drawn]
    counts = [f"{len(of)} {verdict}" for verdict, of in _by_verdict(drawn).items()]
    definition = result.definition
    return Plot(
        "differences",
        ARMS,
        "Differences to the baseline",
        f"{counted(len(drawn), 'arm')} against the baseline {quoted(result.baseline.name)}, "
        f"{order}. {_line_words(result)}{others}",
        f"From {points(min(values))} to {points(max(values))} {definition.unit}; {listed(counts)}.",
        forest_figure(
            drawn,
            f"difference to the baseline, {definition.unit}",
            HUNDREDTHS * definition.margin,
        ),
    )


def _line_words(result: StudyResult) -> str:
    """What the lines of the forest are."""
    margin = margin_words(result.definition.margin)
    if result.looks is not None:
        return (
            f"The line is the 95 % interval after stopping; the margin, {margin} to either side, "
            "is shaded. Mark and colour are the verdict of the looks, which is corrected for all "
            "comparisons and looks, and need not agree with whether the interval holds 0."
        )
    return (
        "The thin line is the 95 % interval, which holds for all comparisons at once: where it "
        "leaves out 0, the arm is better or worse. The thick bar is the 90 % interval of the "
        f"difference alone: where it lies within the shaded margin, {margin} to either side, the "
        "arm is equal. Else it is undecided: hollow and grey."
    )


def _by_verdict(drawn: Sequence[Interval]) -> dict[str, list[Interval]]:
    """The differences of each verdict that there are any of."""
    every = {
        of: [difference for difference in drawn if difference.verdict == of]
        for of in get_args(Verdict)
    }
    return {verdict: of for verdict, of in every.items() if of}


def waterfall_plot(result: StudyResult) -> Plot | None:
    """What each change adds, where the effects add up and both ends have a score."""
    if result.ends is None:
        return None
    first = (result.arms[0].name, result.ends.start.value)
    last = (result.arms[-1].name, result.ends.end.value)
    steps = [interval(effect.name, effect.difference, 1.0) for effect in result.effects]
    unit = result.definition.unit
    return Plot(
        "waterfall",
        EFFECTS,
        "What each change adds",
        f"From {quoted(first[0])} to {quoted(last[0])}: a bar each change, which begins where the "
        f"one before ends, with its effect in {unit}. {_whisker_words(result)} Colour and pattern "
        "are its verdict.",
        f"From {score(first[1])} to {score(last[1])}, in {unit}: "
        f"{listed([f'{step.name} {points(step.value)}' for step in steps])}.",
        waterfall_figure(first, steps, last, f"{result.definition.deciding.words}, points"),
    )


def _whisker_words(result: StudyResult) -> str:
    """What the whiskers of the waterfall are."""
    if result.looks is not None:
        return "Whiskers are the 95 % intervals of the effects, after stopping."
    return (
        "Thin whiskers are the 95 % intervals of the effects, which hold for all at once; the "
        "thick part is the 90 % interval of the one effect."
    )


def cost_plot(result: StudyResult) -> Plot | None:
    """The deciding metric against running time, of two arms or more that have both."""
    key, metric = result.definition.metric, result.definition.deciding.metric
    arms = [arm for arm in result.arms if not math.isnan(arm.mean(key) + arm.mean(TIME))]
    if len(arms) < 2:
        return None
    names = [result.short_name(arm) for arm in arms]
    # A median, as one run that was held up would move a mean by more than arms differ.
    seconds = np.asarray([median(arm.values(TIME)) for arm in arms])
    noise = np.asarray([arm.deviation(TIME) for arm in arms])
    scores = np.asarray([arm.mean(key) for arm in arms])
    baseline, words = result.short_name(result.baseline), result.definition.deciding.words
    front = [quoted(arms[row].name) for row in pareto(seconds, noise, metric.sign * scores)]
    return Plot(
        "cost",
        Section("time", "Running time"),
        f"{capital(metric.short)} and running time",
        _cost_caption(arms, metric.short),
        f"{counted(len(arms), 'arm')}, from {seconds.min():.1f} to {seconds.max():.1f} s and from "
        f"{score(float(scores.min()))} to {score(float(scores.max()))}. "
        f"On the line: {listed(front, 8)}.",
        cost_figure(names, seconds, noise, scores, baseline, f"{words}, points", metric.sign),
    )


def _cost_caption(arms: Sequence[ArmResult], short: str) -> str:
    named = "A name that would cover another is left out."
    if len(arms) > ALL_LABELLED:
        named = (
            "Named are the baseline, the arm with the best mean and, where there is room, those "
            "on the line."
        )
    runs = [run for arm in arms for run in arm.runs]
    hardware = distinct(runs, "mmclf.cold_hardware") or distinct(runs, "mmclf.hardware")
    return (
        f"{capital(short)} as the mean over seeds, time as their median. Filled, and joined by the "
        "line, are the arms that no better one is as fast as; two count as equally fast if their "
        f"times differ by no more than {100 * SAME_TIME:g} %, or than the standard deviation "
        "between seeds of either. The time is that of a run with an empty store, which computes "
        f"everything. {named}"
        f"{' The times are of different hardware.' if len(hardware) > 1 else ''}"
    )


def interval(name: str, difference: Difference | None, unit: float) -> Interval:
    """A difference as it is drawn, in multiples of its unit; nan where there is none."""
    if difference is None:
        return Interval(name, math.nan, math.nan, math.nan, "undecided")
    value, inner = unit * difference.estimate.value, unit * difference.equal_reach
    return Interval(name, value, unit * difference.reach, inner, difference.verdict)


# A new plot of a study's result is an entry here.
COMPARISONS: Sequence[Callable[[StudyResult], Plot | None]] = (
    forest_plot,
    waterfall_plot,
    cost_plot,
    *prediction_cost_plots(),
)
