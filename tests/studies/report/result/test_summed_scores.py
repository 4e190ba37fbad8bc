"""Of many runs a number each is kept, and the same sums whatever their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mmclf.studies.report.result import scores as module
from mmclf.studies.report.result.scores import Floats, summed_scores
from mmclf.studies.run_key import RunKey
from mmclf.studies.statistics.sample_variance import sample_variance
from mmclf.studies.statistics.seed_sums import contrast_variance

ARMS, SEEDS, B = ("b", "a", "c"), 4, 12
RUNS = [RunKey(arm, seed) for arm in ARMS for seed in range(SEEDS)]
LOST = RunKey("c", 2)


def resampled_of(run: RunKey) -> Floats:
    values: Floats = np.random.default_rng([ord(run.arm), run.seed]).normal(0.8, 0.02, B)
    return values


def value_of(run: RunKey) -> float:
    return float(resampled_of(run)[0])


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 6, 100])
@pytest.mark.parametrize("held", [1, 6, 100])
def test_no_more_runs_are_scored_at_once_than_may_be(
    monkeypatch: pytest.MonkeyPatch, held: int, at_once: int
) -> None:
    monkeypatch.setattr(module, "RUNS_AT_ONCE", held)
    asked: list[RunKey] = []

    def score_runs(runs: Sequence[RunKey]) -> tuple[Floats, Floats]:
        assert 0 < len(runs) <= at_once
        asked.extend(runs)
        return np.array([value_of(of) for of in runs]), np.stack(
            [resampled_of(of) for of in runs], axis=1
        )

    runs = [run for run in RUNS if run != LOST]
    actual = summed_scores(runs, score_runs, 50, at_once)
    assert sorted(map(str, asked)) == sorted(map(str, runs))
    assert actual.values == {run: value_of(run) for run in runs}
    assert actual.groups == 50
    assert sorted((of.arms, of.seeds) for of in actual.resampled) == [
        (("a", "b"), (2,)),
        (("a", "b", "c"), (0, 1, 3)),
    ]
    for weights, seeds in (({"a": -1.0, "b": 1.0}, (0, 1, 2, 3)), ({"c": 1.0}, (0, 1, 3))):
        by_seed = [
            sum(weight * resampled_of(RunKey(arm, seed)) for arm, weight in weights.items())
            for seed in seeds
        ]
        expected = sample_variance(np.stack(by_seed, axis=1))
        found = contrast_variance(actual.resampled, weights, seeds)
        assert (found.of_mean, found.of_each) == pytest.approx((expected.of_mean, expected.of_each))


def test_the_order_of_the_runs_changes_no_bit() -> None:
    def score_runs(runs: Sequence[RunKey]) -> tuple[Floats, Floats]:
        return np.array([value_of(of) for of in runs]), np.stack(
            [resampled_of(of) for of in runs], axis=1
        )

    there, back = (summed_scores(runs, score_runs, 50, 5) for runs in (RUNS, RUNS[::-1]))
    (one,), (other,) = there.resampled, back.resampled
    assert (one.arms, one.seeds) == (other.arms, other.seeds)
    assert np.array_equal(one.totals, other.totals)
    assert np.array_equal(one.covariances, other.covariances)
