from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up import result

from mmclf.studies.report.page.cost_plots import AXES, SECTION, prediction_cost_plot
from mmclf.studies.report.result.study_result import StudyResult

AXIS = AXES[0]


def with_costs(*costs: float | None) -> StudyResult:
    """A study whose arms' runs have these costs, in the order of the arms."""
    study = result("one_at_a_time")
    arms = []
    for arm, cost in zip(study.arms, costs, strict=False):
        more = {} if cost is None else {AXIS.metric: cost}
        runs = [replace(run, metrics={**run.metrics, **more}) for run in arm.runs]
        arms.append(replace(arm, runs=tuple(runs)))
    return replace(study, arms=(*arms, *study.arms[len(arms) :]))


def test_arms_that_differ_in_a_cost_are_plotted_by_it() -> None:
    plot = prediction_cost_plot(AXIS, with_costs(2.0, 4.0))
    assert plot is not None
    assert (plot.key, plot.section) == ("cost-gflops", SECTION)
    (axes,) = plot.figure.axes
    assert axes.get_xlabel() == AXIS.axis
    drawn = np.concatenate([np.asarray(line.get_xdata(), float) for line in axes.get_lines()])
    assert {2.0, 4.0} >= {*drawn.tolist()}


@pytest.mark.parametrize("costs", [(2.0, 2.1), (2.0, None), (None, None)])
def test_arms_that_cost_alike_or_do_not_tell_are_not_plotted(
    costs: tuple[float | None, ...],
) -> None:
    assert prediction_cost_plot(AXIS, with_costs(*costs)) is None
