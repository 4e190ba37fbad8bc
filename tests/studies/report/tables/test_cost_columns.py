from __future__ import annotations

import math
from dataclasses import dataclass, field

import pandas as pd
import pytest
from made_up import result

from mmclf.errors import InputError
from mmclf.studies.report.tables.column_choice import (
    SHORT_NAMES,
    check_columns,
    chosen,
    chosen_by_heading,
)
from mmclf.studies.report.tables.cost_columns import COSTS, HEADINGS, cost_cells, known_costs
from mmclf.studies.report.tables.run_table import results
from mmclf.studies.report.tables.study_tables import arms_table


@dataclass(frozen=True)
class Run:
    metrics: dict[str, float]
    name: str = "bce"
    status: str = "FINISHED"
    tags: dict[str, str] = field(default_factory=dict)


RUNS = [
    Run({"cost/parameters": 26_500_000, "cost/gflops": 1.25, "test/f1_samples": 0.5}),
    Run({"cost/parameters": 3_000_000, "test/f1_samples": 0.25}),
]


def test_cells_are_in_the_unit_of_the_heading() -> None:
    cells = cost_cells(lambda key: RUNS[0].metrics.get(key, math.nan))
    assert (cells["Parameters (M)"], cells["GFLOPs"]) == (26.5, 1.25)
    assert known_costs([dict(cells)]) == ["Parameters (M)", "GFLOPs"]


def test_runs_show_costs_to_whoever_asks() -> None:
    table = results(RUNS)
    assert not {*HEADINGS} & {*chosen_by_heading(table, None)}
    some = chosen_by_heading(table, ["model", "gflops", "parameters", "test_f1"])
    assert [*some] == ["Model", "GFLOPs", "Parameters (M)", "Test F1"]
    assert some["Parameters (M)"].tolist() == [26.5, 3.0]
    assert math.isnan(some["GFLOPs"][1])


def test_a_cost_that_no_run_knows_is_no_column() -> None:
    assert "Energy (Wh)" not in results(RUNS)
    with pytest.raises(InputError):
        chosen_by_heading(results(RUNS), ["energy"])


def test_a_study_knows_the_same_names() -> None:
    assert {*COSTS} <= {*SHORT_NAMES}
    check_columns([*COSTS])
    table = pd.DataFrame({"Arm": ["a"], "GFLOPs": [1.5], "Verdict": ["better"]})
    assert [*chosen(table, ["arm", "gflops"], "test/f1_samples")] == ["Arm", "GFLOPs"]
    assert [*chosen(table, None, "test/f1_samples")] == ["Arm", "Verdict"]


def test_arms_without_costs_have_no_columns_of_them() -> None:
    assert not {*HEADINGS} & {*arms_table(result("one_at_a_time"))}
