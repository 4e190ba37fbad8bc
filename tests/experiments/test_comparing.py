"""What `experiments/numbers` takes for the same numbers, and what not."""

from __future__ import annotations

import dataclasses
import math
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

SCRIPT = Path(__file__).parents[2] / "experiments" / "numbers" / "comparing.py"
OVERRIDES = ["text=tfidf", "trainer.epochs=2"]


def _loaded() -> Any:
    """The module; it lies in no package."""
    spec = spec_from_file_location("numbers_comparing", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


comparing = _loaded()


def result(metrics: dict[str, list[tuple[int, float]]], **changes: Any) -> Any:
    params = {"head.hidden": "512", "output_dir": "/old", "loss._target_": "mmclf.losses.FocalLoss"}
    rows = [
        {"Arm": "bce", "SD": "0.25", "Running time (s)": "3.5"},
        {"Arm": "focal", "SD": "", "Running time (s)": "4.5"},
    ]
    run = comparing.Run("FINISHED", metrics, params, {"predictions/val, logits": "sha256 ab"})
    whole = comparing.CommandResult(OVERRIDES, 1.0, None, {"0": run}, {"results.csv": rows})
    return dataclasses.replace(whole, **changes)


def old_form(loss: float = 0.25) -> Any:
    return result(
        {
            "val/loss": [(1, 0.5), (2, loss), (3, loss)],
            "test/map": [(3, 0.75)],
            "time/fit_s": [(3, 9.0)],
        }
    )


def new_form(loss: float = 0.25, final: float = 0.25) -> Any:
    return result(
        {
            "epoch/val/loss": [(1, 0.5), (2, loss)],
            "val/loss": [(0, final)],
            "test/map": [(0, 0.75)],
            "best_epoch": [(0, 2.0)],
            "time/fit_s": [(0, 1.0)],
        }
    )


def keys(comparison: Any) -> list[str]:
    return [difference.key for difference in comparison.differences]


def test_curves_and_final_values_are_separate_in_both_forms() -> None:
    expected = {
        "epoch/val/loss, step 1": 0.5,
        "epoch/val/loss, step 2": 0.25,
        "val/loss": 0.25,
        "test/map": 0.75,
    }
    assert comparing.metric_values(old_form().runs["0"].metrics) == expected
    assert comparing.metric_values(new_form().runs["0"].metrics) == expected | {"best_epoch": 2.0}


def test_both_forms_of_the_same_run_are_equal_and_what_is_new_is_listed() -> None:
    table = comparing.compare(old_form(), new_form())
    assert table.differences == ()
    assert table.only_new == ("best_epoch",)
    # Status, array, two metrics, two epochs, two cells in each of two rows, one parameter.
    assert table.compared == 1 + 1 + 2 + 2 + 4 + 1


def test_the_last_digit_of_an_epoch_or_of_the_final_value_tells() -> None:
    one_up = math.nextafter(0.25, 1)
    assert keys(comparing.compare(old_form(), new_form(loss=one_up))) == ["epoch/val/loss, step 2"]
    assert keys(comparing.compare(old_form(), new_form(final=one_up))) == ["val/loss"]
    (actual,) = comparing.compare(old_form(), new_form(final=one_up)).differences
    assert (actual.where, actual.old, actual.new) == ("0", 0.25, one_up)


def test_what_only_the_old_tree_has_is_a_difference() -> None:
    before, after = old_form(), new_form()
    metrics = {key: value for key, value in after.runs["0"].metrics.items() if key != "test/map"}
    after = dataclasses.replace(
        after, runs={"0": dataclasses.replace(after.runs["0"], metrics=metrics)}
    )
    (actual,) = comparing.compare(before, after).differences
    assert (actual.key, actual.old, actual.new) == ("test/map", 0.75, None)
    assert keys(comparing.compare(before, dataclasses.replace(after, runs={})))[0] == "status"
    assert len(comparing.compare(before, None).differences) == 1


def test_an_epoch_less_is_a_difference() -> None:
    short = result({"val/loss": [(1, 0.5), (2, 0.25)], "test/map": [(2, 0.75)]})
    assert keys(comparing.compare(old_form(), short)) == ["epoch/val/loss, step 2"]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"head.hidden": "256"}, ["parameter head.hidden"]),
        ({"head.hidden": "512", "output_dir": "/new"}, []),
        ({"loss._target_": "mmclf.models.losses.FocalLoss"}, []),
        ({"vision": "none"}, []),
    ],
)
def test_parameters_are_compared_where_both_have_them_places_apart(
    changed: dict[str, str], expected: list[str]
) -> None:
    before = old_form()
    after = dataclasses.replace(
        before, runs={"0": dataclasses.replace(before.runs["0"], params=changed)}
    )
    assert keys(comparing.compare(before, after)) == expected


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [("SD", "0.2500000001", ["SD"]), ("SD", "2.5e-1", []), ("Running time (s)", "99", [])],
)
def test_cells_of_tables_are_compared_as_numbers_times_apart(
    column: str, value: str, expected: list[str]
) -> None:
    before = old_form()
    first, second = before.tables["results.csv"]
    after = dataclasses.replace(before, tables={"results.csv": [first | {column: value}, second]})
    assert keys(comparing.compare(before, after)) == expected


def test_another_command_and_a_failed_one_are_differences() -> None:
    other = dataclasses.replace(old_form(), overrides=["text=none"])
    assert keys(comparing.compare(old_form(), other)) == ["overrides"]
    failed = dataclasses.replace(old_form(), failure="exit status 2", runs={}, tables={})
    for before, after in ((old_form(), failed), (failed, old_form()), (failed, failed)):
        table = comparing.compare(before, after)
        assert table.compared == 0
        assert len(table.differences) == [before, after].count(failed)


@given(st.floats())
def test_a_number_is_the_same_as_its_own_text_and_as_no_neighbour(value: float) -> None:
    assert comparing.same(value, repr(value))
    if math.isfinite(value):
        assert not comparing.same(value, math.nextafter(value, math.inf))


@given(st.text(), st.text())
def test_texts_that_are_no_numbers_are_the_same_if_they_are_equal(one: str, other: str) -> None:
    assert comparing.same(f"arm {one}", f"arm {other}") == (one == other)
    assert not comparing.same(one, None)
