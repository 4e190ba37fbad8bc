"""Arms that are all equal are called different in 5 % of studies, whatever seeds and arms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from normal_studies import Cell, differences, simulate, skewed_coverage

from mmclf.studies.statistics.estimates import Estimate, estimate
from mmclf.studies.statistics.verdicts import family

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("arms", [7, 63])
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_family_wise_error_and_coverage_hold(
    seeds: int, arms: int, share: float, request: pytest.FixtureRequest
) -> None:
    # In small with about two standard errors more.
    many, most = (4_000, 0.06) if request.config.getoption("--soak") else (400, 0.075)
    found = simulate(Cell(seeds, arms, share), many)
    print(f"{seeds:3} {arms:3} {share:5} error {found.error:.4f} coverage {found.coverage:.4f}")
    assert found.error <= most
    assert found.coverage >= 0.93
    assert seeds == 2 or found.coverage <= 0.985


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("skewness", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("seeds", [3, 5])
def test_a_hundred_skewed_samples_are_covered(seeds: int, skewness: float, share: float) -> None:
    covered = skewed_coverage(seeds, share, skewness, groups=100, studies=4_000)
    print(f"{seeds:3} {share:4} skewness {skewness} coverage {covered:.4f}")
    assert 0.93 <= covered <= 0.985


def test_simulated_studies_have_the_variances_that_they_say() -> None:
    value, between, shared = differences(Cell(3, 2, 0.6), 40_000, np.random.default_rng(0))
    assert value.var() == pytest.approx(1, rel=0.03)
    assert between.mean() == pytest.approx(0.6, rel=0.03)
    assert shared.mean() == pytest.approx(0.4, rel=0.005)
    # Of normal samples: known with as many degrees of freedom as there are groups, less one.
    assert shared.std() == pytest.approx(0.4 * math.sqrt(2 / 799), rel=0.03)
    # Half of the variance is the baseline's, which both arms are compared to.
    assert np.corrcoef(value[:, 0], value[:, 1]).min() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("seeds", [2, pytest.param(3, marks=pytest.mark.soak), 5])
def test_verdicts_err_as_seldom_by_way_of_resamples(seeds: int) -> None:
    """From scores and resampled scores to verdicts, as a report has them."""
    chance = np.random.default_rng(seeds)
    many, arms, resamples, wrong = 300, 7, 200, 0
    deviation = math.sqrt(0.1 / 0.9 / seeds)  # of the test set's part: a tenth of the variance
    for _ in range(many):
        test = deviation * chance.standard_normal((arms + 1, 1))
        values = test + chance.standard_normal((arms + 1, seeds))
        turns = deviation * chance.standard_normal((resamples, arms + 1, 1))
        resampled = values + turns
        estimates: list[Estimate | None] = [
            estimate(values[arm] - values[0], resampled[:, arm] - resampled[:, 0], 800)
            for arm in range(1, arms + 1)
        ]
        compared = family(estimates, comparisons=arms, margin=0.005)
        wrong += any(one is not None and one.is_shown for one in compared)
    assert wrong / many <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / many)
