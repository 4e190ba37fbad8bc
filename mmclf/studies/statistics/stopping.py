"""When a comparison of arms is decided, by looks at it that are fixed beforehand.

m comparisons are looked at after 3, 5, 8 ... seeds, each with the mean D of its values over S
seeds, their variance s², the variance b = s² / S of the mean, and sh that all seeds share. With r
of them called different already, c_k(a) the level of the look k of error a (spending), M the
margin within which a difference is as good as none, and n seeds at most:

- different, if p <= c_k(0.05 / (m - r)), again with those just called, until none is added. The m
  stays whatever is called equal or hopeless: that releases nothing. At the first call of a true
  null the others' errors are 0.05 over no fewer than all true nulls, so that in at most 5 % of
  studies any is called (as in Holm's procedure, for looks: Maurer & Bretz 2013, Statistics in
  Biopharmaceutical Research 5:311-320).
- equal, if |D| < M and p(M - |D|) / 2 <= c_k(0.10) / 2: a one-sided test to each side.
- futile, before the last look, if neither is likely to come of all n seeds: the mean of n lies
  about D with s² (1/S - 1/n), by Student's t. This may be followed or not: it calls nothing.

A call is final.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from mmclf.studies.statistics.estimates import ALPHA
from mmclf.studies.statistics.generalised import p_value
from mmclf.studies.statistics.spending import levels
from mmclf.studies.statistics.verdicts import EQUAL_ALPHA, Difference, Verdict

Floats = NDArray[np.float64]
Calls = NDArray[np.str_]

Call = Literal["open", "better", "worse", "equal", "futile"]

VERDICTS: Mapping[Call, Verdict] = {
    "open": "undecided",
    "better": "better",
    "worse": "worse",
    "equal": "equal",
    "futile": "undecided",
}
# A decision that is less likely than this is not waited for.
HOPELESS = 0.05
# With this two-sided level for the seeds and for the samples, 95 % or more of intervals hold the
# expectation, whenever their comparison was stopped: found by simulation.
STOPPED_ALPHA = 0.03


@dataclass(frozen=True)
class StoppingRule:
    """Which looks there are at how many comparisons, and by which levels of p they are decided.

    `looks`: after how many seeds, the last being all that there may be. `margin`: how far from 0 a
    difference is as good as none; `sign` 1 where more is better, or -1.
    """

    looks: tuple[int, ...]
    comparisons: int
    margin: float
    sign: int = 1

    @cached_property
    def difference_levels(self) -> Floats:
        """Of p (m, K), for a difference, by how many have been called and by the look."""
        return levels([ALPHA / left for left in range(self.comparisons, 0, -1)], self.looks)

    @cached_property
    def equality_levels(self) -> Floats:
        """Of p (K,), of the distance from the margin."""
        equality: Floats = levels([EQUAL_ALPHA], self.looks)[0]
        return equality


@dataclass(frozen=True)
class Seen:
    """What there is to see at a look, of comparisons (..., m) all of so many seeds.

    `value`, `between`, `shared`: the mean, and the estimated variances b and sh of it; nan where a
    comparison is not looked at. `groups` (m,): by how many sh is known, as by those of the test
    samples; None if it is taken as known.
    """

    value: Floats
    between: Floats
    shared: Floats
    groups: Floats | None = None

    def p(self, seeds: int, distance: Floats, asked: NDArray[np.bool_]) -> Floats:
        """The two-sided p (..., m) of means so far from what they are expected to be.

        It is nan but where it is `asked`.
        """
        p = np.full(distance.shape, np.nan)
        known_by = [None] if self.groups is None else np.unique(self.groups).tolist()
        for groups in known_by:
            at = asked if self.groups is None else asked & (self.groups == groups)
            if at.any():
                p[at] = p_value(distance[at], self.between[at], self.shared[at], seeds, groups)
        return p


@dataclass(frozen=True)
class StoppedDifference(Difference):
    """A difference that looks decide, what they have called it, and the interval after stopping.

    Its `p` is nan: one that is corrected for comparisons alone, and not for looks, is none.
    """

    call: Call = "open"

    @cached_property
    def p(self) -> float:
        """Not known."""
        return math.nan

    @cached_property
    def reach(self) -> float:
        """How far the 95 % interval reaches to either side, whenever it was stopped."""
        of = self.estimate
        return float(stopped_reach(of.between, of.shared, of.seeds, of.known_by))

    @cached_property
    def equal_reach(self) -> float:
        """Not known: equality is by looks too."""
        return math.nan

    @cached_property
    def verdict(self) -> Verdict:
        """What the looks have called it."""
        return VERDICTS[self.call]


def decide(rule: StoppingRule, seeds: int, seen: Seen, calls: Calls) -> Calls:
    """The calls (..., m) after the look at so many seeds, given those before it.

    Whatever is not open stays as it is, and so does what is not looked at. Raises ValueError if
    there is no look at so many seeds.
    """
    if seeds not in rule.looks:
        raise ValueError(f"seeds: found {seeds}, expected one of {rule.looks}")
    look = rule.looks.index(seeds)
    after = calls.copy()
    is_seen = (calls == "open") & np.isfinite(seen.value)
    _call_different(rule, look, seeds, seen, after, is_seen)
    _call_equal(rule, look, seeds, seen, after, is_seen & (after == "open"))
    if look < len(rule.looks) - 1:
        hopeless = _chance_of_call(rule, seeds, seen, after) < HOPELESS
        after[is_seen & (after == "open") & hopeless] = "futile"
    return after


def stopped_reach(
    between: Floats | float,
    shared: Floats | float,
    seeds: int,
    groups: Floats | float | None = None,
) -> Floats:
    """How far (...) the 95 % interval of a mean reaches to either side, whenever it was stopped.

    It need not agree with the call, which may be the stricter, nor know which look it was.
    """
    of_seeds = stdtrit(seeds - 1, STOPPED_ALPHA / 2) ** 2 * np.asarray(between)
    of_samples = stdtrit(_freedom(groups), STOPPED_ALPHA / 2) ** 2 * np.asarray(shared)
    reach: Floats = np.sqrt(of_seeds + of_samples)
    return reach


def _call_different(
    rule: StoppingRule,
    look: int,
    seeds: int,
    seen: Seen,
    calls: Calls,
    is_seen: NDArray[np.bool_],
) -> None:
    """Call, in place, what differs from 0."""
    p = seen.p(seeds, np.abs(seen.value), is_seen)
    names = np.where(rule.sign * seen.value > 0, "better", "worse")
    while True:
        level = rule.difference_levels[_called(calls, rule.comparisons - 1), look]
        added = is_seen & (calls == "open") & (p <= level[..., None])
        if not added.any():
            return
        calls[added] = names[added]


def _call_equal(
    rule: StoppingRule,
    look: int,
    seeds: int,
    seen: Seen,
    calls: Calls,
    is_seen: NDArray[np.bool_],
) -> None:
    """Call, in place, what differs from 0 by less than the margin."""
    inside = rule.margin - np.abs(seen.value)
    p = seen.p(seeds, inside, is_seen & (inside > 0))
    calls[p <= rule.equality_levels[look]] = "equal"


def _called(calls: Calls, most: int) -> NDArray[np.intp]:
    """How many (...) are called different, but at most so many."""
    count = np.isin(calls, ("better", "worse")).sum(axis=-1)
    called: NDArray[np.intp] = np.minimum(count, most)
    return called


def _chance_of_call(rule: StoppingRule, seeds: int, seen: Seen, calls: Calls) -> Floats:
    """How likely (..., m) a comparison is called different or equal with all the seeds."""
    distance, most = np.abs(seen.value), rule.looks[-1]
    variance = seen.between * seeds
    different = rule.difference_levels[_called(calls, rule.comparisons - 1), -1][..., None]
    beyond = _last_reach(different, variance, seen, most)
    within = rule.margin - _last_reach(rule.equality_levels[-1], variance, seen, most)
    deviation = np.sqrt(variance * (1 / seeds - 1 / most))
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = stdtr(seeds - 1, (distance - beyond) / deviation)
        equal = stdtr(seeds - 1, (within - distance) / deviation)
        equal -= stdtr(seeds - 1, (-within - distance) / deviation)
    chances: Floats = chance + np.where(within > 0, equal, 0.0)
    return chances


def _last_reach(level: Floats | float, variance: Floats, seen: Seen, most: int) -> Floats:
    """How far (..., m) the interval of this two-sided level may reach with all the seeds."""
    of_seeds = stdtrit(most - 1, level / 2) ** 2 * variance / most
    of_samples = stdtrit(_freedom(seen.groups), level / 2) ** 2 * seen.shared
    reach: Floats = np.sqrt(of_seeds + of_samples)
    return reach


def _freedom(groups: Floats | float | None) -> Floats | float:
    return np.inf if groups is None else groups - 1
