"""Contrasts of arms by their runs' scores, paired by seed and sample."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from mmclf.studies.definition import Definition
from mmclf.studies.report.result.scores import Floats, Scores
from mmclf.studies.run_key import RunKey
from mmclf.studies.statistics.draws import draw_variance
from mmclf.studies.statistics.estimates import DIGITS, Estimate, estimate_of
from mmclf.studies.statistics.sample_variance import SampleVariance
from mmclf.studies.statistics.seed_sums import contrast_variance
from mmclf.studies.statistics.shrinkage import kept_share
from mmclf.studies.statistics.verdicts import Difference, family


def contrast(
    definition: Definition,
    scores: Scores,
    weights: Mapping[str, float],
    draws: Sequence[Mapping[str, float]] = (),
    *,
    seeds: Collection[int] | None = None,
) -> Estimate | None:
    """The weighted sum of arms' scores, paired by seed and sample; None without common seeds.

    `draws`: the weights of each of the random draws that `weights` is the mean of. `seeds`: the
    only ones that count.
    """
    common = [s for s in common_seeds(definition, scores, weights) if seeds is None or s in seeds]
    if not common:
        return None
    added = 0.0
    if len(draws) > 1:
        by_draw = np.stack([_weighted(scores, draw, common) for draw in draws])
        added = draw_variance(by_draw, _about_mean(scores, draws, common), scores.groups)
    by_samples = contrast_variance(scores.resampled, weights, common)
    values = _weighted(scores, weights, common)
    return estimate_of(values, by_samples, scores.groups, added, len(draws))


def common_seeds(definition: Definition, scores: Scores, arms: Collection[str]) -> tuple[int, ...]:
    """The seeds that all of these arms have a score of."""
    return tuple(
        s for s in definition.seeds if all(RunKey(arm, s) in scores.values for arm in arms)
    )


def baseline_differences(
    definition: Definition, scores: Scores, sign: int
) -> list[Difference | None]:
    """Each arm's difference to the baseline, compared as one family; `sign` 1 if more is better."""
    baseline = definition.baseline
    estimates = [
        None
        if arm.name == baseline
        else contrast(definition, scores, {arm.name: 1.0, baseline: -1.0})
        for arm in definition.arms
    ]
    return compared(definition, estimates, len(definition.arms) - 1, sign)


def compared(
    definition: Definition, estimates: Sequence[Estimate | None], comparisons: int, sign: int
) -> list[Difference | None]:
    """Differences that are compared together, all that were asked for, finished or not."""
    return family(estimates, comparisons=max(comparisons, 1), margin=definition.margin, sign=sign)


def share_kept(definition: Definition, scores: Scores) -> float:
    """The share of the arms' distances that is no chance, on the seeds that all have a score of.

    nan where no seed is, and where the arms are the way to effects that add up.
    """
    arms = [arm.name for arm in definition.arms if common_seeds(definition, scores, [arm.name])]
    seeds = common_seeds(definition, scores, arms)
    if definition.kind.adds_up or not arms or not seeds:
        return math.nan
    each = [{arm: 1.0} for arm in arms]
    values = np.stack([_weighted(scores, of, seeds) for of in each])
    return kept_share(values, _about_mean(scores, each, seeds), scores.groups)


def _weighted(scores: Scores, weights: Mapping[str, float], seeds: Sequence[int]) -> Floats:
    """The weighted sums (S,) of arms' scores."""
    values = np.zeros(len(seeds))
    for arm, weight in weights.items():
        values += weight * np.array([scores.values[RunKey(arm, seed)] for seed in seeds])
    return values.round(DIGITS)


def _about_mean(
    scores: Scores, contrasts: Sequence[Mapping[str, float]], seeds: Collection[int]
) -> list[SampleVariance]:
    """How the distance of each contrast to the mean of all varies with the test samples."""
    mean: dict[str, float] = {}
    for weights in contrasts:
        for arm, weight in weights.items():
            mean[arm] = mean.get(arm, 0.0) + weight / len(contrasts)
    distances = [
        {arm: weights.get(arm, 0.0) - of_mean for arm, of_mean in mean.items()}
        for weights in contrasts
    ]
    return [contrast_variance(scores.resampled, of, seeds) for of in distances]
