"""What may be said of the differences of a family: better, worse, equal, or undecided.

Interval and verdict agree, by one level: with m comparisons both stand at 0.05 / m (Bonferroni), so
that in at most 5 % of studies any difference is called that is none. Equality is shown where the
90 % interval lies within the margin: two one-sided tests at 5 % (Schuirmann 1987, J.
Pharmacokinetics and Biopharmaceutics 15:657-680), for each comparison on its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from mmclf.studies.statistics.estimates import ALPHA, Estimate

Verdict = Literal["better", "worse", "equal", "undecided"]

EQUAL_ALPHA = 0.1  # of two one-sided tests at 5 %


@dataclass(frozen=True)
class Difference:
    """A difference of arms, one of `comparisons` that are made, and what may be said of it.

    `margin`: how far from 0 a difference is as good as none; `sign` 1 where more is better, or -1.
    """

    estimate: Estimate
    comparisons: int
    margin: float
    sign: int = 1

    @cached_property
    def p(self) -> float:
        """Two-sided, corrected for all comparisons: min(1, m p); nan where it is not known."""
        corrected = self.comparisons * self.estimate.p
        return 1.0 if corrected > 1 else corrected

    @cached_property
    def reach(self) -> float:
        """How far the simultaneous interval reaches to either side."""
        return self.estimate.reach(ALPHA / self.comparisons)

    @property
    def low(self) -> float:
        """The lower end of the interval that holds for all comparisons at once."""
        return self.estimate.value - self.reach

    @property
    def high(self) -> float:
        """The upper end of the interval that holds for all comparisons at once."""
        return self.estimate.value + self.reach

    @cached_property
    def equal_reach(self) -> float:
        """How far the 90 % interval reaches, which shows equality where it is within the margin."""
        return self.estimate.reach(EQUAL_ALPHA)

    @cached_property
    def verdict(self) -> Verdict:
        """What may be said; of a single seed nothing, as what another gives is not known."""
        value = self.estimate.value
        if self.estimate.seeds < 2 or math.isnan(self.reach):
            return "undecided"
        if abs(value) > self.reach:
            return "better" if self.sign * value > 0 else "worse"
        return "equal" if abs(value) + self.equal_reach < self.margin else "undecided"

    @property
    def is_shown(self) -> bool:
        """Whether there is a difference, beyond what seeds and test samples can do by chance."""
        return self.verdict in ("better", "worse")


def family(
    estimates: Sequence[Estimate | None], *, comparisons: int, margin: float, sign: int = 1
) -> list[Difference | None]:
    """The differences that are compared together; None where there is nothing to compare."""
    return [None if of is None else Difference(of, comparisons, margin, sign) for of in estimates]
