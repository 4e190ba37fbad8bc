"""Contrasts of arms by their runs' scores, paired by seed and sample."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from mmclf.studies.definition import Definition
from mmclf.studies.report.result.scores import Floats, Scores
from mmclf.studies.run_key import RunKey
from mmclf.studies.statistics.draws import draw_variance
from mmclf.studies.statistics.estimates import DIGITS, Estimate, estimate
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
    values, resampled = _weighted(scores, weights, common)
    added = 0.0
    if len(draws) > 1:
        by_draw = [_weighted(scores, draw, common) for draw in draws]
        added = draw_variance(
            np.stack([of for of, _ in by_draw]),
            np.stack([of for _, of in by_draw], axis=1),
            scores.groups,
        )
    return estimate(values, resampled, scores.groups, added, len(draws))


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
    keys = [[RunKey(arm, seed) for seed in seeds] for arm in arms]
    values = np.array([[scores.values[key] for key in of] for of in keys])
    resampled = np.stack([[scores.resampled[key] for key in of] for of in keys])
    return kept_share(values, np.moveaxis(resampled, 2, 0), scores.groups)


def _weighted(
    scores: Scores, weights: Mapping[str, float], seeds: Sequence[int]
) -> tuple[Floats, Floats]:
    """The weighted sums (S,) of arms' scores, and those of the resamples (B, S)."""
    resamples = len(next(iter(scores.resampled.values())))
    values, resampled = np.zeros(len(seeds)), np.zeros((resamples, len(seeds)))
    for column, seed in enumerate(seeds):
        for arm, weight in weights.items():
            values[column] += weight * scores.values[RunKey(arm, seed)]
            resampled[:, column] += weight * scores.resampled[RunKey(arm, seed)]
    return values.round(DIGITS), resampled.round(DIGITS)
