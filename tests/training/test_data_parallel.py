"""Several processes train what one does: losses, logits, weights, errors, checkpoints."""

from __future__ import annotations

import math
from typing import Any

import data_parallel_cases as cases
import numpy as np
import pytest
from two_processes import in_processes

pytestmark = pytest.mark.slow

FUNCTIONS = (
    *("cases", "unused", "running_statistics", "not_finite", "goes_on"),
    *("sent", "encoded", "sharded", "in_bf16", "agreed"),
)
Found = dict[str, list[Any]]


@pytest.fixture(scope="module", params=[2, 3])
def found(request: pytest.FixtureRequest) -> Found:
    """What each process returns of each function."""
    return in_processes(request.param, cases.__name__, *FUNCTIONS)


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    """What one process returns."""
    return cases.cases(None)


@pytest.mark.parametrize("name", cases.CASES)
def test_it_is_what_one_process_trains(found: Found, alone: dict[str, Any], name: str) -> None:
    for of_rank in found["cases"]:
        for values, expected in zip(of_rank[name], alone[name], strict=True):
            assert np.allclose(values, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", cases.CASES)
def test_all_processes_have_the_same_to_the_bit(found: Found, name: str) -> None:
    first, *others = (of_rank[name] for of_rank in found["cases"])
    assert all(other == first for other in others)


def test_parameters_without_a_gradient_are_noticed(found: Found) -> None:
    assert found["unused"] == [[False, True]] * len(found["unused"])


def test_the_running_statistics_of_the_main_process_are_evaluated(found: Found) -> None:
    (main, _), (other, _), *_ = found["running_statistics"]
    assert main != other
    assert [after for _, after in found["running_statistics"]] == [main] * len(found["cases"])


def test_a_loss_that_is_not_finite_is_told_alike_by_all(found: Found) -> None:
    expected = cases.not_finite(None)
    assert len(expected) == 3
    assert all("7.jpg" in text for text in expected)
    assert found["not_finite"] == [expected] * len(found["not_finite"])


def test_a_fit_goes_on_where_a_signal_of_one_process_ended_all(found: Found) -> None:
    for of_rank in found["goes_on"]:
        assert of_rank["kept"] == 1
        assert of_rank["generators"] == sorted(
            ["cpu", *(f"cpu/{rank}" for rank in range(1, len(found["goes_on"])))]
        )
        assert of_rank["again"] == of_rank["whole"]


def test_orders_and_tensors_arrive_as_they_are(found: Found) -> None:
    (seen, _), *others = found["sent"]
    assert seen == [["é", rank] for rank in range(1, len(found["sent"]))]
    assert others == [[[True] * 5, False]] * len(others)


def test_shares_of_features_are_to_the_bit_those_of_one_process(found: Found) -> None:
    for number, expected in enumerate(cases.encoded(None)):
        parts = [of_rank[number] for of_rank in found["encoded"]]
        held = [[x for x in values if x is not None] for values in zip(*parts, strict=True)]
        assert [len(values) for values in held[: len(expected)]].count(1) == len(expected)
        assert [values[0] for values in held] == expected
        assert not any(math.isnan(x) for x in expected)


def test_sharded_weights_are_trained_as_whole_ones(found: Found) -> None:
    expected = cases.sharded(None)
    main, *_ = found["sharded"]
    for name in ("losses", "logits", "weights"):
        assert np.allclose(main[name], expected[name], rtol=0, atol=1e-5)
    assert main["kind"] == "Classifier"
    assert {tuple(of_rank["losses"]) for of_rank in found["sharded"]} == {tuple(main["losses"])}
    held = [of_rank["held"] for of_rank in found["sharded"]]
    assert sum(held) == expected["held"]
    assert max(held) < expected["held"]


def test_in_half_precision_it_is_about_what_one_process_trains(found: Found) -> None:
    losses, logits, _ = cases.in_bf16(None)
    for of_rank in found["in_bf16"]:
        assert np.allclose(of_rank[0], losses, rtol=0, atol=5e-3)
        assert np.allclose(of_rank[1], logits, rtol=0, atol=5e-2)


def test_the_main_process_scores_for_all_and_one_can_ask_for_all(found: Found) -> None:
    assert found["agreed"] == [[0.5, True, False]] * len(found["agreed"])
