"""Intervals cover known differences of F1s as often as they say: seeds, samples or both decide."""

from __future__ import annotations

import numpy as np
import pytest
from coverage_simulation import (
    PREVALENCES,
    Labels,
    Regime,
    population_f1,
    study,
    true_difference,
)
from numpy.typing import NDArray

from mmclf.evaluation.metrics import METRICS
from mmclf.evaluation.threshold_search import Average
from mmclf.studies.statistics.bootstrap import count_groups, resampled_score, score
from mmclf.studies.statistics.estimates import Estimate, estimate

pytestmark = pytest.mark.slow

AVERAGES: list[Average] = ["samples", "micro", "macro"]
REGIMES = {
    "seeds": Regime(own_offset=0.12, arm_noise=0.2),
    "between": Regime(own_offset=0.045, arm_noise=0.4),
    "samples": Regime(own_offset=0.01, arm_noise=0.6),
}
RESAMPLES = 200


def estimated(regime: Regime, seeds: int, seed: int) -> dict[Average, Estimate]:
    """The difference of the arms of one simulated study, by each F1."""
    chance = np.random.default_rng([seed, seeds])
    labels, predicted = study(regime, seeds, chance)
    each = np.arange(len(labels))
    return {of: _difference(labels, predicted, each, f"f1_{of}", seed) for of in AVERAGES}


def _difference(
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


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("name", REGIMES)
def test_intervals_cover_the_true_difference(
    name: str, seeds: int, request: pytest.FixtureRequest
) -> None:
    # Of so few the share varies by 1.5 points (sd) in `make test`, by 0.7 in `make soak`.
    many, least, most = 200, 0.91, 0.99
    if request.config.getoption("--soak"):
        many, least, most = 1_000, 0.93, 0.97
    regime = REGIMES[name]
    studies = [estimated(regime, seeds, number) for number in range(many)]
    for average in AVERAGES:
        truth = true_difference(regime, seeds, average)
        found = [one[average] for one in studies]
        covered = np.mean([one.low <= truth <= one.high for one in found])
        share = np.median([one.seed_share for one in found])
        print(f"{name:8} {seeds:3} {average:8} covered {covered:.3f} seeds' share {share:.2f}")
        assert least <= covered <= most, f"{average}: {covered:.1%} of {many}"


def test_samples_of_a_group_are_not_taken_as_independent(request: pytest.FixtureRequest) -> None:
    soak = request.config.getoption("--soak")
    many, least, most = (1_000, 0.93, 0.97) if soak else (200, 0.91, 0.99)
    seeds, size, regime = 5, 5, Regime(own_offset=0, arm_noise=0.65)
    truth = true_difference(regime, seeds, "samples")
    covered = {"rows": 0, "groups": 0}
    for number in range(many):
        labels, predicted = study(regime, seeds, np.random.default_rng([number, seeds]))
        # Of a group all are equal, and so are the errors that a run makes in it.
        labels, predicted = labels.repeat(size, axis=0), predicted.repeat(size, axis=1)
        rows = np.arange(len(labels))
        for name, groups in (("rows", rows), ("groups", rows // size)):
            found = _difference(labels, predicted, groups, "f1_samples", number)
            covered[name] += found.low <= truth <= found.high
    shares = {name: count / many for name, count in covered.items()}
    assert least <= shares["groups"] <= most, shares
    assert 0.65 <= shares["rows"] <= 0.84, shares


@pytest.mark.parametrize("average", AVERAGES)
def test_the_known_difference_is_that_of_many_samples(average: Average) -> None:
    chance = np.random.default_rng(0)
    labels = (chance.random((200_000, len(PREVALENCES))) < PREVALENCES).astype(np.uint8)
    wrong = (chance.random((1, *labels.shape)) < 0.15).astype(np.uint8)
    expected = score(labels, labels ^ wrong, METRICS[f"f1_{average}"])[0]
    assert population_f1(0.15, average) == pytest.approx(expected, abs=3e-3)
