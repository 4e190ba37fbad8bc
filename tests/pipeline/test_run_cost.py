from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mmclf.pipeline.cost import PredictionCostSerializer, cost_from, cost_metrics, cost_tags
from mmclf.storage.meter import Meter
from mmclf.storage.store.entry import Stage, StageTiming
from mmclf.storage.store.stage_result import Computed, StageResult
from mmclf.storage.store.store import Store
from mmclf.training.prediction_cost import PredictionCost

COST = PredictionCost(2_000_000, 1_000_000, 1.5e9, 0.004, 0.05)
TIMING = StageTiming("fit", "f" * 40, 1.0, 10, "2 x CPU", "run1", 800.0, 0.25)


def test_metrics_are_in_the_units_of_their_names() -> None:
    actual = StageResult(COST, TIMING, (), reused=False)
    assert cost_metrics(actual, [TIMING, replace(TIMING, peak_mb=900.0)]) == {
        "cost/parameters": 2_000_000,
        "cost/trained_parameters": 1_000_000,
        "cost/gflops": 1.5,
        "cost/latency_ms": 4.0,
        "cost/latency_batch_ms": 50.0,
        "cost/peak_memory_mb": 900.0,
        "cost/energy_wh": 0.5,
    }
    assert cost_tags(actual) == {"mmclf.cost_hardware": "2 x CPU"}


@pytest.mark.parametrize("lacking", [0, 1])
def test_what_one_stage_does_not_tell_is_not_known_of_all(lacking: int) -> None:
    timings = [TIMING, TIMING]
    timings[lacking] = replace(TIMING, energy_wh=None)
    assert set(cost_metrics(None, timings)) == {"cost/peak_memory_mb"}
    timings[lacking] = replace(TIMING, peak_mb=None)
    assert set(cost_metrics(None, timings)) == {"cost/energy_wh"}


def test_nothing_is_known_of_nothing() -> None:
    assert (cost_metrics(None, []), cost_tags(None)) == ({}, {})


def test_a_stored_cost_is_read_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path, "2 x CPU")
    stage = Stage("cost", 1, {"fit": "f"})
    store.get_or_compute(stage, PredictionCostSerializer(), lambda: Computed(COST, 1.0, 1))
    actual = store.get(stage, PredictionCostSerializer())
    assert actual is not None
    assert (actual.value, actual.reused) == (COST, True)


def test_a_record_of_something_else_is_none() -> None:
    with pytest.raises(TypeError):
        cost_from({"parameters": 1})


def test_a_store_keeps_what_a_result_took(tmp_path: Path) -> None:
    stage = Stage("cost", 1, {"fit": "f"})
    store = Store(tmp_path, "2 x CPU", Meter(energy=False))
    made = store.get_or_compute(stage, PredictionCostSerializer(), lambda: Computed(COST, 1.0, 1))
    read = Store(tmp_path, "2 x CPU").get(stage, PredictionCostSerializer())
    assert read is not None
    assert made.timing.peak_mb is not None
    assert read.timing == made.timing
