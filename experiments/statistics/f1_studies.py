"""Simulated studies of two arms whose true difference of mean F1s is known.

A prediction of label l for sample n, by the run of arm a with seed s, is right where

    skill[a, s] - hard[n, a] + noise[n, l, a, s] > 0,

where the skill is the arm's mean, an offset of the seed that both arms share, and one of the run's
own; the noise is standard normal, its parts shared by all runs, by the runs of an arm, or by none.
Some samples may be hard for the first arm, which loses skill there, so that differences are skewed
over samples. Of a sample a run is thus wrong about each label independently, with probability
phi(-skill), and its F1s in the population follow. Their mean over seeds is an integral over a
normal skill.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.special import ndtr

from mmclf.evaluation.metrics import METRICS
from mmclf.evaluation.threshold_search import Average
from mmclf.studies.statistics.bootstrap import count_groups, resampled_score, score
from mmclf.studies.statistics.estimates import Estimate, estimate

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]

SAMPLES = 400
PREVALENCES = np.array([0.5, 0.35, 0.25, 0.2, 0.15])
SKILLS = (1.2, 1.35)
SHARED_OFFSET = 0.1


@dataclass(frozen=True)
class Regime:
    """How much of a difference's variance is whose.

    `own_offset`: the standard deviation of the runs' own skill, at 3 seeds; it grows with the root
    of their number so that their share of the mean's variance is the same. `arm_noise`: the share
    of the noise's variance that the runs of an arm have in common, and so their samples' effect;
    another 0.3 is common to all. `hard`: the share of samples that are hard for the first arm, and
    `loss` the skill that it loses there. `samples`: how many there are.
    """

    own_offset: float
    arm_noise: float
    hard: float = 0.0
    loss: float = 0.0
    samples: int = SAMPLES

    def offset(self, seeds: int) -> float:
        """The standard deviation of the runs' own skill with so many seeds."""
        return self.own_offset * math.sqrt(seeds / 3)


def study(regime: Regime, seeds: int, chance: np.random.Generator) -> tuple[Labels, Labels]:
    """Labels (N, L) and the label sets (2 S, N, L) of the first arm's seeds, then the second's."""
    width = len(PREVALENCES)
    samples = regime.samples
    labels = (chance.random((samples, width)) < PREVALENCES).astype(np.uint8)
    skill = (
        np.array(SKILLS)[:, None]
        + SHARED_OFFSET * chance.standard_normal((1, seeds))
        + regime.offset(seeds) * chance.standard_normal((2, seeds))
    )
    common, arm = 0.3**0.5, regime.arm_noise**0.5
    alone = (1 - 0.3 - regime.arm_noise) ** 0.5
    noise = (
        common * chance.standard_normal((1, 1, samples, width), dtype=np.float32)
        + arm * chance.standard_normal((2, 1, samples, width), dtype=np.float32)
        + alone * chance.standard_normal((2, seeds, samples, width), dtype=np.float32)
    )
    lost = np.zeros((2, 1, samples, 1))
    if regime.hard:
        lost[0, 0, :, 0] = regime.loss * (chance.random(samples) < regime.hard)
    wrong = (skill[:, :, None, None] - lost + noise <= 0).astype(np.uint8)
    return labels, (labels ^ wrong).reshape(2 * seeds, SAMPLES, width)


def true_difference(regime: Regime, seeds: int, average: Average) -> float:
    """The first arm's mean F1 less the second's, over all seeds and samples that there may be."""
    places, weights = hermegauss(40)
    spread = (SHARED_OFFSET**2 + regime.offset(seeds) ** 2) ** 0.5

    def of_arm(skill: float, hard: float) -> float:
        total = 0.0
        for place, weight in zip(places, weights, strict=True):
            own = skill + spread * place
            errors = [(1 - hard, float(ndtr(-own))), (hard, float(ndtr(regime.loss - own)))]
            total += weight * population_f1(errors, average)
        return total / float(weights.sum())

    return of_arm(SKILLS[0], regime.hard) - of_arm(SKILLS[1], 0.0)


def population_f1(errors: Sequence[tuple[float, float]], average: Average) -> float:
    """The F1 over infinitely many samples.

    `errors`: the share of such samples, and with what probability a run is wrong about each label.
    """
    if average == "samples":
        return sum(share * _mean_sample_f1(error) for share, error in errors)
    error = sum(share * error for share, error in errors)
    hits, wrong = PREVALENCES * (1 - error), np.full(len(PREVALENCES), error)
    if average == "micro":
        hits, wrong = hits.sum(), wrong.sum()
    return float(np.mean(2 * hits / (2 * hits + wrong)))


def _mean_sample_f1(error: float) -> float:
    """Over how many labels of a sample are hits and how many are wrong, label after label.

    A sample with neither has no true and no predicted label, and scores 1.
    """
    size = len(PREVALENCES) + 1
    odds = np.zeros((size, size))
    odds[0, 0] = 1
    for prevalence in PREVALENCES:
        hit, none = prevalence * (1 - error), (1 - prevalence) * (1 - error)
        after = none * odds
        after[1:] += hit * odds[:-1]
        after[:, 1:] += error * odds[:, :-1]
        odds = after
    hits, wrong = np.indices(odds.shape)
    return float((odds * 2 * hits / np.maximum(2 * hits + wrong, 1)).sum() + odds[0, 0])


AVERAGES: Sequence[Average] = ("samples", "micro", "macro")
# Whose variance decides: the seeds', the samples', or both.
REGIMES = {
    "seeds": Regime(own_offset=0.12, arm_noise=0.2),
    "between": Regime(own_offset=0.045, arm_noise=0.4),
    "samples": Regime(own_offset=0.01, arm_noise=0.6),
}
# Of a hundred samples, one in twelve of which is hard.
FEW_SAMPLES = {
    f"few {name}": replace(regime, samples=100, hard=1 / 12, loss=1.2)
    for name, regime in REGIMES.items()
}
RESAMPLES = 200


def estimated(regime: Regime, seeds: int, seed: int) -> dict[Average, Estimate]:
    """The difference of the arms of one simulated study, by each F1."""
    labels, predicted = study(regime, seeds, np.random.default_rng([seed, seeds]))
    each = np.arange(len(labels))
    return {of: difference(labels, predicted, each, f"f1_{of}", seed) for of in AVERAGES}


def difference(
    labels: Labels, predicted: Labels, groups: NDArray[np.int64], name: str, seed: int
) -> Estimate:
    """The difference of the arms of one study, whose samples are in `groups` (N,)."""
    metric, seeds = METRICS[name], len(predicted) // 2
    values = score(labels, predicted, metric)
    resampled = resampled_score(
        labels, predicted, metric, resamples=RESAMPLES, seed=seed, groups=groups
    )
    return estimate(
        values[:seeds] - values[seeds:],
        resampled[:, :seeds] - resampled[:, seeds:],
        count_groups(groups),
    )
