"""A sweep's rows of the same arm, joined over their seeds."""

from __future__ import annotations

import math
from statistics import stdev

import pytest

from mmclf.storage.tracking import TrackedRun
from mmclf.studies.report.tables.arm_means import arm_means


def run(loss: str, seed: int, f1: float, status: str = "FINISHED") -> TrackedRun:
    """A run with the same F1 throughout, or none if it has not finished."""
    names = ("val/f1_micro", "val/f1_macro", "test/f1_samples")
    metrics = {**dict.fromkeys(names, f1), "time/cold_s": 10.0 + seed}
    done = metrics if status == "FINISHED" else {}
    tags = {"mmclf.seed": str(seed)}
    return TrackedRun(f"{loss}{seed}", "", status, 0, "p", tags, {"loss": loss}, done)


def test_rows_of_an_arm_are_joined_as_mean_and_deviation_over_seeds_in_points() -> None:
    runs = [run("bce", 0, 0.80), run("focal", 0, 0.7), run("bce", 1, 0.83), run("bce", 2, 0.85)]
    table = arm_means(runs, lambda one: one.params["loss"])
    spread = f"82.67 ± {100 * stdev([0.80, 0.83, 0.85]):.2f}"
    assert table.to_dict("records") == [
        {
            "Arm": "bce",
            "Runs": "3",
            "Val micro F1": spread,
            "Val macro F1": spread,
            "Test F1": spread,
            "Time (s)": pytest.approx(11.0),
        },
        {
            "Arm": "focal",
            "Runs": "1",
            "Val micro F1": "70.00",
            "Val macro F1": "70.00",
            "Test F1": "70.00",
            "Time (s)": pytest.approx(10.0),
        },
    ]


def test_what_has_not_finished_is_counted_and_not_averaged() -> None:
    runs = [run("bce", 0, 0.8), run("bce", 1, 0.1, "FAILED"), run("focal", 0, 0.1, "KILLED")]
    bce, focal = arm_means(runs, lambda one: one.params["loss"]).to_dict("records")
    assert (bce["Runs"], bce["Test F1"]) == ("1 of 2", "80.00")
    assert (focal["Runs"], focal["Test F1"]) == ("0 of 1", "-")
    assert math.isnan(focal["Time (s)"])


def test_runs_that_differ_by_the_seed_alone_are_one_arm() -> None:
    (row,) = arm_means([run("bce", 0, 0.8), run("bce", 1, 0.8)], lambda _: "").to_dict("records")
    assert (row["Runs"], row["Test F1"]) == ("2", "80.00 ± 0.00")
