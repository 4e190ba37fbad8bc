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
    """Label sets (S, N, L) that are wrong at a rate."""
    return truth() ^ (np.random.default_rng(seed).random((seeds, N, L)) < rate).astype(np.uint8)


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
    assert table.loc[0, "difference":"p_adjusted"].isna().all()
    expected = [
        np.mean([f1_score(truth(), run, average="samples", zero_division=1) for run in runs])
        for runs in three_arms().values()
    ]
    assert table["mean"].to_numpy() == pytest.approx(expected, abs=1e-12)
    # Paired by seed and sample: what is the same differs by exactly nothing.
    copy = table.loc[2]
    assert (copy["difference"], copy["low"], copy["high"], copy["p"]) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("metric", [*METRICS, "map"])
def test_the_numbers_are_those_of_the_formulas(metric: str) -> None:
    """By scikit-learn and numpy alone, but for the p of given variances."""
    resamples, groups = 150, np.arange(N) // 4
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
    for row, name in ((1, "second"), (2, "third")):
        differences = values[name] - values["first"]
        covariances = np.cov((np.array(resampled[name]) - np.array(resampled["first"])).T)
        between = differences.var(ddof=1) / SEEDS
        shared = max(covariances[~np.eye(SEEDS, dtype=bool)].mean() * 50 / 49, 0.0)
        p = float(p_value(differences.mean(), between, shared, SEEDS, 50))
        single, both = (reach(between, shared, SEEDS, 50, alpha=0.05 / m) for m in (1, 2))
        found = table.loc[row]
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
        assert {key: found[key] for key in expected} == pytest.approx(expected, rel=1e-7)


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
    assert math.isnan(table.loc[1, "p"])
    first = compare(truth(), three_arms())
    assert table.loc[0, "difference"] == -first.loc[1, "difference"]
    assert (table.loc[0, "low"], table.loc[0, "high"]) == (
        -first.loc[1, "high"],
        -first.loc[1, "low"],
    )


def test_lists_flags_and_floats_are_taken_as_well() -> None:
    expected = compare(truth(), three_arms(), resamples=50)
    arms = three_arms()
    mixed = {
        "first": arms["first"].tolist(),
        "better": arms["better"] == 1,
        "copy": arms["copy"].astype(np.float32),
    }
    found = compare(truth().tolist(), mixed, groups=[f"g{i}" for i in range(N)], resamples=50)
    pd.testing.assert_frame_equal(found, expected)


def test_samples_of_a_group_are_drawn_together() -> None:
    copies = {name: np.repeat(runs, 5, axis=1) for name, runs in three_arms().items()}
    labels = np.repeat(truth(), 5, axis=0)
    grouped = compare(labels, copies, groups=np.repeat(np.arange(N), 5))
    alone = compare(truth(), three_arms())
    # Copies tell nothing more; taken as samples of their own, they would.
    pd.testing.assert_frame_equal(grouped, alone, rtol=1e-9)
    naive = compare(labels, copies)
    assert naive.loc[1, "low"] > grouped.loc[1, "low"]


def test_the_margin_decides_what_is_equal() -> None:
    arms = {"a": wrong(0.2, 1), "b": wrong(0.2, 1) ^ wrong(0.002, 5) ^ truth()}
    within = compare(truth(), arms).loc[1]
    assert abs(within["difference"]) < 0.01
    verdicts = [compare(truth(), arms, margin=m).loc[1, "verdict"] for m in (0.0, 0.1)]
    assert verdicts == ["undecided", "equal"]


def test_more_resamples_and_the_same_ones_each_time() -> None:
    first, again = (compare(truth(), three_arms(), resamples=60) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = compare(truth(), three_arms(), resamples=61)
    assert other.loc[1, "low"] != first.loc[1, "low"]


def raises(found: str, **changed: Any) -> None:
    arguments: dict[str, Any] = {"labels": truth(), "predictions": three_arms(), "resamples": 10}
    with pytest.raises(ValueError, match=found):
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
