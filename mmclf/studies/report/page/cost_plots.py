"""Plots of a study's arms by what a prediction costs, where the arms differ in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np

from mmclf.plots.cost import cost_figure
from mmclf.plots.words import capital, counted, score
from mmclf.studies.report.page.plot import Plot, Section
from mmclf.studies.report.result.study_result import StudyResult

ALIKE = 1.1  # times as much, up to which arms cost the same
SECTION = Section("cost-of-predictions", "What a prediction costs")


@dataclass(frozen=True)
class CostAxis:
    """A cost of a run: its metric, the axis, what it is in a sentence, and what divides it."""

    metric: str
    axis: str
    words: str
    unit: float = 1.0


# A new axis is an entry here.
AXES = (
    CostAxis("cost/gflops", "GFLOPs of a sample", "floating point operations of a sample"),
    CostAxis("cost/latency_ms", "latency of one prediction, ms", "the latency of one prediction"),
    CostAxis("cost/trained_parameters", "trained parameters, M", "the trained parameters", 1e6),
    CostAxis("cost/peak_memory_mb", "peak memory, MB", "the peak of memory"),
)


def prediction_cost_plots() -> tuple[Callable[[StudyResult], Plot | None], ...]:
    """A function for each axis, which plots the arms where they differ in it."""
    return tuple(partial(prediction_cost_plot, axis) for axis in AXES)


def prediction_cost_plot(axis: CostAxis, result: StudyResult) -> Plot | None:
    """The deciding metric against a cost; None unless two arms or more differ in it."""
    key, metric = result.definition.metric, result.definition.deciding.metric
    arms = [arm for arm in result.arms if not math.isnan(arm.mean(key) + arm.mean(axis.metric))]
    costs = np.asarray([median(arm.values(axis.metric)) / axis.unit for arm in arms])
    if len(arms) < 2 or costs.max() <= ALIKE * costs.min():
        return None
    noise = np.asarray([arm.deviation(axis.metric) / axis.unit for arm in arms])
    scores = np.asarray([arm.mean(key) for arm in arms])
    return Plot(
        f"cost-{axis.metric.removeprefix('cost/').replace('_', '-')}",
        SECTION,
        f"{capital(metric.short)} and {axis.words}",
        f"{capital(metric.short)} as the mean over seeds, {axis.words} as the median. Filled, and "
        "joined by the line, are the arms that no better one costs as little as. Frozen encoders "
        "are measured once for each kind of hardware.",
        f"{counted(len(arms), 'arm')}, from {costs.min():.3g} to {costs.max():.3g} and from "
        f"{score(float(scores.min()))} to {score(float(scores.max()))}.",
        cost_figure(
            [result.short_name(arm) for arm in arms],
            costs,
            noise,
            scores,
            result.short_name(result.baseline),
            result.definition.deciding.words,
            metric.sign,
            axis.axis,
        ),
    )
