"""What a planned study would show, in lines of at most 80 columns."""

from __future__ import annotations

from mmclf.plots.words import counted, points
from mmclf.studies.report.result.variances import Variances
from mmclf.studies.statistics.power import (
    POWER,
    can_show_equal,
    samples_to_show_equal,
    smallest_shown,
    smallest_with_any_seeds,
)

SEEDS = (3, 5, 10, 20)
WIDTH = 9  # of a column


def power_lines(
    variances: Variances, *, comparisons: int, samples: int, margin: float, unit: str
) -> list[str]:
    """Which difference so many seeds would show, its floor, and whether equality can be shown.

    `comparisons`: how many are made together; `samples`: of the test set.
    """
    deviations = variances.seed_sd, variances.sample_sd
    smallest = [smallest_shown(*deviations, seeds, comparisons) for seeds in SEEDS]
    floor = smallest_with_any_seeds(variances.sample_sd, comparisons)
    of_seeds = "".join(f"{seeds:>{WIDTH}}" for seeds in SEEDS)
    of_sizes = "".join(f"{_size(size):>{WIDTH}}" for size in smallest)
    return [
        f"smallest difference shown with {100 * POWER:.0f} %, in {unit}, at "
        f"{counted(comparisons, 'comparison')}:",
        f"  seeds     {of_seeds}   any number",
        f"  difference{of_sizes}{_size(floor):>{len('   any number')}}",
        f"  SD {_size(variances.seed_sd)} over seeds, {_size(variances.sample_sd)} by the draw of "
        f"{samples} test samples,",
        f"  {variances.source}",
        *_equality(variances.sample_sd, samples, margin),
    ]


def _equality(sample_sd: float, samples: int, margin: float) -> list[str]:
    within = f"equal within {_size(margin)}"
    if margin == 0:
        return []
    needed = samples_to_show_equal(sample_sd, margin, samples)
    if needed <= samples:
        return [f"{within}: can be shown, given enough seeds"]
    chance = "seldom" if can_show_equal(sample_sd, margin) else "never"
    return [f"{within}: {chance} shown, with any seeds; {needed} test samples would do"]


def _size(value: float) -> str:
    return points(value, signed=False)
