from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score

import mmclf
from mmclf.evaluation.metrics import METRICS
from mmclf.studies.comparison import compare
from mmclf.studies.statistics.generalised import p_value, reach

Labels = NDArray[np.uint8]
N, L, SEEDS = 200, 4, 3
COLUMNS = [
    *("arm", "n", "mean", "difference", "low", "high", "low_single", "high_single"),
    *("p", "p_adjusted", "verdict"),
]


def truth() -> Labels:
    return (np.random.default_rng(0).random((N, L)) < 0.4).astype(np.uint8)


def wrong(rate: float, seed: int, seeds: int = SEEDS) -> Labels:
    """Label sets (S, N, L) that are wrong at a rate, half of it in the same places by all seeds."""
    chance = np.random.default_rng(seed)
    own, common = chance.random((seeds, N, L)) < rate / 2, chance.random((N, L)) < rate / 2
    return truth() ^ (own | common).astype(np.uint8)


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def three_arms() -> dict[str, Labels]:
    return {"first": wrong(0.2, 1), "better": wrong(0.05, 2), "copy": wrong(0.2, 1)}


def test_it_is_part_of_the_public_interface() -> None:
    assert mmclf.compare is compare


def test_a_table_has_a_row_for_each_arm() -> None:
    table = compare(truth(), three_arms())
    assert list(table.columns) == COLUMNS
    assert list(table["arm"]) == ["first", "better", "copy"]
    assert list(table["n"]) == [3, 3, 3]
    assert list(table["verdict"]) == ["baseline", "better", "equal"]
    first, _, copy = as_rows(table)
    assert all(math.isnan(first[name]) for name in COLUMNS[3:-1])
    expected = [
        np.mean([f1_score(truth(), run, average="samples", zero_division=1) for run in runs])
        for runs in three_arms().values()
    ]
    assert table["mean"].to_numpy() == pytest.approx(expected, abs=1e-12)
    # Paired by seed and sample: what is the same differs by exactly nothing.
    assert (copy["difference"], copy["low"], copy["high"], copy["p"]) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("metric", [*METRICS, "map"])
def test_the_numbers_are_those_of_the_formulas(metric: str) -> None:
    """By scikit-learn and numpy alone, but for the p of given variances."""
    resamples, groups = 30, np.arange(N) // 4
    predictions = {"first": wrong(0.2, 1), "second": wrong(0.15, 2), "third": wrong(0.2, 3)}
    labels = truth()
    if metric == "map":
        noise = np.random.default_rng(0).random((3, SEEDS, N, L))
        predictions = {
            name: runs + noise[arm] for arm, (name, runs) in enumerate(predictions.items())
        }
    table = compare(labels, predictions, metric, groups=groups, resamples=resamples)

    def of(rows: NDArray[Any], runs: NDArray[Any]) -> list[float]:
        if metric == "map":
            return [average_precision_score(labels[rows], run[rows]) for run in runs]
        average = metric.removeprefix("f1_")
        nothing = 1 if average == "samples" else 0
        return [
            f1_score(labels[rows], run[rows], average=average, zero_division=nothing)
            for run in runs
        ]

    chance = np.random.default_rng(0)
    everything = np.arange(N)
    values = {name: np.array(of(everything, runs)) for name, runs in predictions.items()}
    resampled: dict[str, list[list[float]]] = {name: [] for name in predictions}
    for _ in range(resamples):
        of_groups = chance.integers(50, size=50)
        rows = (4 * of_groups[:, None] + np.arange(4)).ravel()
        for name, runs in predictions.items():
            resampled[name].append(of(rows, runs))
    for name, actual in zip(("second", "third"), as_rows(table)[1:], strict=True):
        differences = values[name] - values["first"]
        covariances = np.cov((np.array(resampled[name]) - np.array(resampled["first"])).T)
        between = differences.var(ddof=1) / SEEDS
        shared = max(covariances[~np.eye(SEEDS, dtype=bool)].mean() * 50 / 49, 0.0)
        p = float(p_value(differences.mean(), between, shared, SEEDS, 50))
        single, both = (reach(between, shared, SEEDS, 50, alpha=0.05 / m) for m in (1, 2))
        mean = differences.mean()
        expected = {
            "mean": values[name].mean(),
            "difference": mean,
            "low": mean - both,
            "high": mean + both,
            "low_single": mean - single,
            "high_single": mean + single,
            "p": p,
            "p_adjusted": min(1.0, 2 * p),
        }
        assert {key: actual[key] for key in expected} == pytest.approx(expected, rel=1e-7)


def test_label_sets_of_one_run_are_a_single_seed() -> None:
    one = {name: runs[0] for name, runs in three_arms().items()}
    table = compare(truth(), one)
    assert list(table["n"]) == [1, 1, 1]
    assert list(table["verdict"]) == ["baseline", "undecided", "undecided"]
    with_axis = compare(truth(), {name: runs[None] for name, runs in one.items()})
    pd.testing.assert_frame_equal(table, with_axis)


def test_any_arm_may_be_the_baseline() -> None:
    table = compare(truth(), three_arms(), baseline="better")
    assert list(table["arm"]) == ["first", "better", "copy"]
    assert list(table["verdict"]) == ["worse", "baseline", "worse"]
    assert math.isnan(as_rows(table)[1]["p"])
    first = compare(truth(), three_arms())
    assert as_rows(table)[0]["difference"] == -as_rows(first)[1]["difference"]
    assert (as_rows(table)[0]["low"], as_rows(table)[0]["high"]) == (
        -as_rows(first)[1]["high"],
        -as_rows(first)[1]["low"],
    )


def test_lists_flags_and_floats_are_taken_as_well() -> None:
    expected = compare(truth(), three_arms(), resamples=50)
    arms = three_arms()
    mixed = {
        "first": arms["first"].tolist(),
        "better": arms["better"] == 1,
        "copy": arms["copy"].astype(np.float32),
    }
    table = compare(truth().tolist(), mixed, groups=[f"g{i}" for i in range(N)], resamples=50)
    pd.testing.assert_frame_equal(table, expected)


def test_samples_of_a_group_are_drawn_together() -> None:
    copies = {name: np.repeat(runs, 5, axis=1) for name, runs in three_arms().items()}
    labels = np.repeat(truth(), 5, axis=0)
    grouped = compare(labels, copies, groups=np.repeat(np.arange(N), 5))
    alone = compare(truth(), three_arms())
    # Copies tell nothing more; taken as samples of their own, they would.
    pd.testing.assert_frame_equal(grouped, alone, rtol=1e-9)
    naive = compare(labels, copies)
    assert as_rows(naive)[1]["low"] > as_rows(grouped)[1]["low"]


def test_the_margin_decides_what_is_equal() -> None:
    arms = {"a": wrong(0.2, 1), "b": wrong(0.2, 1) ^ wrong(0.002, 5) ^ truth()}
    within = as_rows(compare(truth(), arms))[1]
    assert abs(within["difference"]) < 0.01
    verdicts = [as_rows(compare(truth(), arms, margin=m))[1]["verdict"] for m in (0.0, 0.1)]
    assert verdicts == ["undecided", "equal"]


def test_more_resamples_and_the_same_ones_each_time() -> None:
    first, again = (compare(truth(), three_arms(), resamples=60) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = compare(truth(), three_arms(), resamples=61)
    assert as_rows(other)[1]["low"] != as_rows(first)[1]["low"]


def raises(result: str, **changed: Any) -> None:
    arguments: dict[str, Any] = {"labels": truth(), "predictions": three_arms(), "resamples": 10}
    with pytest.raises(ValueError, match=result):
        compare(**arguments | changed)


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("metric", "f1_sample", "did you mean 'f1_samples'"),
        ("metric", "auc", "metric: found 'auc'"),
        ("baseline", "beter", "did you mean 'better'"),
        ("margin", -1e-9, "margin: found -1e-09"),
        ("margin", 0.1001, "margin: found 0.1001"),
        ("margin", math.nan, "margin: found nan"),
        ("resamples", 1, "resamples: found 1"),
        ("groups", np.arange(N - 1), "groups: found shape"),
        ("groups", np.zeros(N), "groups: found 1"),
        ("labels", truth()[0], "labels: found shape"),
        ("labels", truth()[:0], "labels: found shape"),
        ("labels", truth() * 2, "labels: found"),
        ("labels", np.full((N, L), "1"), "labels: found"),
        ("labels", truth()[:-1], r"predictions\['first'\]: found shape"),
        ("predictions", {}, "found 0 arms"),
        ("predictions", {"first": wrong(0.1, 1)}, "found 1 arms"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: Any, found: str) -> None:
    raises(found, **{name: value})


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_margin_at_its_bounds_is_taken(value: float) -> None:
    assert len(compare(truth(), three_arms(), margin=value, resamples=10)) == 3


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (wrong(0.1, 1)[:, :-1], "shape"),
        (wrong(0.1, 1)[:, :, :-1], "shape"),
        (wrong(0.1, 1)[:0], "shape"),
        (wrong(0.1, 1)[None], "shape"),
        (wrong(0.1, 1)[:2], "found 2 seeds, expected 3"),
        (wrong(0.1, 1) * 0.7, "found"),
        (np.full((SEEDS, N, L), math.nan), "found"),
    ],
)
def test_an_arm_of_another_kind_is_refused(value: NDArray[Any], found: str) -> None:
    raises(rf"predictions\['odd'\].*{found}", predictions={"first": wrong(0.1, 1), "odd": value})


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_does_not_rank_is_refused(value: float) -> None:
    odd = np.full((SEEDS, N, L), value)
    raises("finite", predictions={"first": wrong(0.1, 1), "odd": odd}, metric="map")
