"""Intervals cover known differences of F1s as often as they say: seeds, samples or both decide."""

from __future__ import annotations

import numpy as np
import pytest
from f1_studies import (
    AVERAGES,
    FEW_SAMPLES,
    PREVALENCES,
    REGIMES,
    Regime,
    difference,
    estimated,
    population_f1,
    study,
    true_difference,
)

from mmclf.evaluation.metrics import METRICS
from mmclf.evaluation.threshold_search import Average
from mmclf.studies.statistics.bootstrap import score

pytestmark = pytest.mark.slow


@pytest.fixture
def bounds(request: pytest.FixtureRequest) -> tuple[int, float, float]:
    """How many studies, and the coverage that is wanted; in small with 3 standard errors more."""
    if request.config.getoption("--soak"):
        return 500, 0.93, 0.985
    return 200, 0.90, 1.0


@pytest.mark.parametrize("seeds", [3, pytest.param(5, marks=pytest.mark.soak), 10])
@pytest.mark.parametrize("name", [*REGIMES, *FEW_SAMPLES])
def test_intervals_cover_the_true_difference(
    name: str, seeds: int, bounds: tuple[int, float, float]
) -> None:
    many, least, most = bounds
    regime = (REGIMES | FEW_SAMPLES)[name]
    studies = [estimated(regime, seeds, number) for number in range(many)]
    for average in AVERAGES:
        truth = true_difference(regime, seeds, average)
        found = [one[average] for one in studies]
        covered = np.mean([one.low <= truth <= one.high for one in found])
        share = np.median([one.seed_share for one in found])
        print(f"{name:12} {seeds:3} {average:8} covered {covered:.3f} seeds' share {share:.2f}")
        assert least <= covered <= most, f"{average}: {covered:.1%} of {many}"


def test_samples_of_a_group_are_not_taken_as_independent(
    bounds: tuple[int, float, float],
) -> None:
    many, least, most = bounds
    seeds, size, regime = 5, 5, Regime(own_offset=0, arm_noise=0.65)
    truth = true_difference(regime, seeds, "samples")
    covered = {"rows": 0, "groups": 0}
    for number in range(many):
        labels, predicted = study(regime, seeds, np.random.default_rng([number, seeds]))
        # Of a group all are equal, and so are the errors that a run makes in it.
        labels, predicted = labels.repeat(size, axis=0), predicted.repeat(size, axis=1)
        rows = np.arange(len(labels))
        for name, groups in (("rows", rows), ("groups", rows // size)):
            found = difference(labels, predicted, groups, "f1_samples", number)
            covered[name] += found.low <= truth <= found.high
    shares = {name: count / many for name, count in covered.items()}
    print(shares)
    assert least <= shares["groups"] <= most, shares
    assert 0.65 <= shares["rows"] <= 0.84, shares


@pytest.mark.parametrize("average", AVERAGES)
def test_the_known_difference_is_that_of_many_samples(average: Average) -> None:
    chance = np.random.default_rng(0)
    labels = (chance.random((200_000, len(PREVALENCES))) < PREVALENCES).astype(np.uint8)
    rates = np.where(np.arange(200_000) < 50_000, 0.4, 0.15)[:, None]
    wrong = (chance.random((1, *labels.shape)) < rates).astype(np.uint8)
    expected = score(labels, labels ^ wrong, METRICS[f"f1_{average}"])[0]
    found = population_f1([(0.25, 0.4), (0.75, 0.15)], average)
    assert found == pytest.approx(expected, abs=3e-3)
