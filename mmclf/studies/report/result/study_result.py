"""A study's result: each arm's score, its difference to the baseline, and the effects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev

from mmclf.storage.tracking import TrackedRun
from mmclf.studies.definition import Definition
from mmclf.studies.looks import Looks
from mmclf.studies.statistics.estimates import Estimate
from mmclf.studies.statistics.ratios import Ratio
from mmclf.studies.statistics.verdicts import Difference

# Keys of a run's metrics.
TIME, MAP = "time/cold_s", "test/map"


@dataclass(frozen=True)
class ArmResult:
    """An arm: a finished run a seed, in the order of the seeds, and what became of the others.

    `failed`: the last attempt of each seed that has no finished run; `missing`: the seeds that were
    not attempted. `score` estimates the deciding metric, None without a finished run; `difference`
    is that to the baseline, None for the baseline itself and where there is nothing to pair.
    `beside`: its differences to the baseline by other metrics, by their keys; `time_ratio`: its
    running time over the baseline's.
    """

    name: str
    levels: Mapping[str, str]
    runs: tuple[TrackedRun, ...]
    failed: tuple[TrackedRun, ...]
    missing: tuple[int, ...]
    score: Estimate | None
    difference: Difference | None
    beside: Mapping[str, Difference] = field(default_factory=dict)
    time_ratio: Ratio | None = None

    def values(self, metric: str) -> list[float]:
        """A metric of every finished run, NaN where one has none."""
        return [run.metrics.get(metric, math.nan) for run in self.runs]

    def mean(self, metric: str) -> float:
        """The mean of a metric over the seeds; NaN without a run."""
        values = self.values(metric)
        return fmean(values) if values else math.nan

    def deviation(self, metric: str) -> float:
        """The standard deviation of a metric over the seeds; NaN with fewer than two."""
        values = self.values(metric)
        return stdev(values) if len(values) > 1 else math.nan


@dataclass(frozen=True)
class EffectResult:
    """An effect that the study asks for: a step of a ladder, a Shapley value, a difference."""

    name: str
    weights: Mapping[str, float]
    difference: Difference | None


@dataclass(frozen=True)
class Ends:
    """The scores between which effects add up, both of the seeds that the effects are of."""

    start: Estimate
    end: Estimate


@dataclass(frozen=True)
class StudyResult:
    """A study's result; `notes` say what a reader must know before comparing.

    `ends`: what its effects lead from and to; None where they do not add up, or are not known.
    `kept`: the share of the arms' distances to their mean that is no chance (`kept_share`); nan
    where it is not known, or not asked for.
    `looks`: of a study that stops when decided.
    """

    definition: Definition
    parent: TrackedRun
    arms: tuple[ArmResult, ...]
    effects: tuple[EffectResult, ...]
    notes: tuple[str, ...]
    ends: Ends | None = None
    kept: float = math.nan
    looks: Looks | None = None

    @property
    def baseline(self) -> ArmResult:
        """The arm that the others are compared to."""
        return next(arm for arm in self.arms if arm.name == self.definition.baseline)

    @property
    def best(self) -> ArmResult | None:
        """The arm with the best mean of the deciding metric; None without a finished run."""
        return self.best_of(self.arms)

    def best_of(self, arms: Sequence[ArmResult]) -> ArmResult | None:
        """The one of these arms with the best mean; None without one that has a score."""
        metric, sign = self.definition.metric, self.definition.deciding.metric.sign
        scored = [arm for arm in arms if arm.score is not None]
        return max(scored, key=lambda arm: sign * arm.mean(metric), default=None)

    @property
    def drawn(self) -> list[ArmResult]:
        """All arms; of a design of many those with a single change, and the last."""
        if not self.definition.kind.many_arms:
            return list(self.arms)
        first, last = self.arms[0], self.arms[-1]
        return [
            arm
            for arm in self.arms
            if arm in (first, last, self.baseline)
            or sum(level != first.levels.get(name) for name, level in arm.levels.items()) == 1
        ]

    def after_choice(self, arm: ArmResult) -> float:
        """An arm's difference to the baseline, allowing for having chosen the best of all arms.

        nan unless it is the best one, and how much arms differ is known.
        """
        if arm is not self.best or arm is self.baseline or arm.difference is None:
            return math.nan
        return self.kept * arm.difference.estimate.value

    def short_name(self, arm: ArmResult) -> str:
        """What a plot calls an arm: its levels alone, where its factors are those of all arms."""
        levels = ", ".join(arm.levels.values())
        alike = [other for other in self.arms if ", ".join(other.levels.values()) == levels]
        return levels if self.definition.kind.named_by_levels and alike == [arm] else arm.name


def distinct(runs: Sequence[TrackedRun], tag: str) -> list[str]:
    """The values of a tag over runs, each once."""
    return list(dict.fromkeys(run.tags[tag] for run in runs if run.tags.get(tag)))
