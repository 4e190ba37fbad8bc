"""Simulated studies of two arms whose true difference of mean F1s is known.

A prediction of label l for sample n, by the run of arm a with seed s, is right where

    skill[a, s] + noise[n, l, a, s] > 0,

where the skill is the arm's mean, an offset of the seed that both arms share, and one of the run's
own; the noise is standard normal, its parts shared by all runs, by the runs of an arm, or by none.
Over samples a run is thus wrong about each label independently, with probability phi(-skill), and
its F1s in the population follow. Their mean over seeds is an integral over a normal skill.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite_e import hermegauss
from numpy.typing import NDArray
from scipy.special import ndtr

from mmclf.evaluation.threshold_search import Average

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
    another 0.3 is common to all.
    """

    own_offset: float
    arm_noise: float

    def offset(self, seeds: int) -> float:
        return self.own_offset * math.sqrt(seeds / 3)


def study(regime: Regime, seeds: int, chance: np.random.Generator) -> tuple[Labels, Labels]:
    """Labels (N, L) and the label sets (2 S, N, L) of the first arm's seeds, then the second's."""
    width = len(PREVALENCES)
    labels = (chance.random((SAMPLES, width)) < PREVALENCES).astype(np.uint8)
    skill = (
        np.array(SKILLS)[:, None]
        + SHARED_OFFSET * chance.standard_normal((1, seeds))
        + regime.offset(seeds) * chance.standard_normal((2, seeds))
    )
    common, arm = 0.3**0.5, regime.arm_noise**0.5
    alone = (1 - 0.3 - regime.arm_noise) ** 0.5
    noise = (
        common * chance.standard_normal((1, 1, SAMPLES, width), dtype=np.float32)
        + arm * chance.standard_normal((2, 1, SAMPLES, width), dtype=np.float32)
        + alone * chance.standard_normal((2, seeds, SAMPLES, width), dtype=np.float32)
    )
    wrong = (skill[:, :, None, None] + noise <= 0).astype(np.uint8)
    return labels, (labels ^ wrong).reshape(2 * seeds, SAMPLES, width)


def true_difference(regime: Regime, seeds: int, average: Average) -> float:
    """The first arm's mean F1 less the second's, over all seeds and samples that there may be."""
    places, weights = hermegauss(40)
    spread = (SHARED_OFFSET**2 + regime.offset(seeds) ** 2) ** 0.5
    first, second = (
        sum(
            weight * population_f1(float(ndtr(-(skill + spread * place))), average)
            for place, weight in zip(places, weights, strict=True)
        )
        / weights.sum()
        for skill in SKILLS
    )
    return float(first - second)


def population_f1(error: float, average: Average) -> float:
    """The F1 over infinitely many samples, wrong about each label with probability `error`."""
    if average == "samples":
        return _mean_sample_f1(error)
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
