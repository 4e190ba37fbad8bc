from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmclf.studies.statistics.estimates import ALPHA, Estimate
from mmclf.studies.statistics.verdicts import EQUAL_ALPHA, Difference, family

GROUPS = 400
VARIANCES = (0.002**2, 0.003**2)  # between seeds, of samples
SEEDS, ARMS = 5, 7


def difference(
    value: float,
    between: float = VARIANCES[0],
    shared: float = VARIANCES[1],
    *,
    seeds: int = SEEDS,
    groups: int | None = GROUPS,
    comparisons: int = ARMS,
    margin: float = 0.005,
    sign: int = 1,
) -> Difference:
    return Difference(Estimate(value, seeds, between, shared, groups), comparisons, margin, sign)


# An interval that few seeds and groups widen takes milliseconds.
few_examples = settings(max_examples=40)
# How far the interval reaches that holds for seven comparisons at once, and the 90 % one.
REACH = Estimate(0.0, SEEDS, *VARIANCES, GROUPS).reach(ALPHA / ARMS)
NARROW = Estimate(0.0, SEEDS, *VARIANCES, GROUPS).reach(EQUAL_ALPHA)


@pytest.mark.parametrize(
    ("value", "sign", "verdict"),
    [
        (REACH * (1 + 1e-9), 1, "better"),
        (REACH, 1, "undecided"),
        (REACH * (1 - 1e-9), 1, "undecided"),
        (-REACH, 1, "undecided"),
        (-REACH * (1 + 1e-9), 1, "worse"),
        (REACH * (1 + 1e-9), -1, "worse"),
        (-REACH * (1 + 1e-9), -1, "better"),
    ],
)
def test_a_difference_is_shown_where_its_interval_leaves_out_zero(
    value: float, sign: int, verdict: str
) -> None:
    actual = difference(value, sign=sign)
    assert actual.verdict == verdict
    assert actual.is_shown == (verdict != "undecided")
    assert (actual.low <= 0 <= actual.high) == (verdict == "undecided")
    assert actual.p == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.001, -0.001])
@pytest.mark.parametrize(("of_bound", "verdict"), [(1 + 1e-9, "equal"), (1.0, "undecided")])
def test_equality_is_shown_where_the_90_percent_interval_is_within_the_margin(
    value: float, of_bound: float, verdict: str
) -> None:
    actual = difference(value, margin=(abs(value) + NARROW) * of_bound)
    assert actual.verdict == verdict
    assert actual.equal_reach == NARROW
    assert not actual.is_shown


def test_equality_is_of_each_comparison_on_its_own() -> None:
    verdicts = {difference(0.0, margin=NARROW * 1.01, comparisons=m).verdict for m in (1, 7, 63)}
    assert verdicts == {"equal"}


def test_what_is_shown_within_the_margin_is_shown_and_not_equal() -> None:
    assert difference(2 * REACH, margin=0.1).verdict == "better"
    assert difference(-2 * REACH, margin=0.1).verdict == "worse"


def test_nothing_is_within_a_margin_of_zero() -> None:
    assert difference(0.0, margin=0.0).verdict == "undecided"
    assert difference(0.0, 0.0, 0.0, margin=0.0).verdict == "undecided"


def test_what_never_varies_is_decided() -> None:
    assert [difference(value, 0.0, 0.0).verdict for value in (1e-9, 0.0, -1e-9)] == [
        "better",
        "equal",
        "worse",
    ]


@pytest.mark.parametrize("value", [0.0, 0.5, -0.5])
def test_of_a_single_seed_nothing_is_said(value: float) -> None:
    actual = difference(value, math.nan, seeds=1)
    assert actual.verdict == "undecided"
    assert actual.low < value < actual.high
    unknown = difference(value, math.nan, 0.0, seeds=1, groups=None)
    assert unknown.verdict == "undecided"
    assert all(math.isnan(number) for number in (unknown.p, unknown.low, unknown.high))


def test_p_is_corrected_for_all_comparisons() -> None:
    alone = difference(0.004, comparisons=1)
    assert alone.p == alone.estimate.p
    assert (alone.low, alone.high) == (alone.estimate.low, alone.estimate.high)
    together = difference(0.004, comparisons=3)
    assert together.p == pytest.approx(3 * alone.p)
    assert together.high - together.low > alone.high - alone.low
    assert difference(1e-6, comparisons=3).p == 1.0


def test_a_family_counts_all_that_was_asked_for_finished_or_not() -> None:
    of = Estimate(0.004, SEEDS, *VARIANCES, GROUPS)
    first, none, second = family([of, None, of], comparisons=5, margin=0.01, sign=-1)
    assert none is None
    assert first == second == Difference(of, 5, 0.01, -1)


variances = st.just(0.0) | st.floats(1e-20, 1)


@few_examples
@given(
    st.floats(-1, 1),
    variances,
    variances,
    st.integers(2, 20),
    st.integers(2, 2_000),
    st.integers(1, 200),
    st.floats(0, 0.1),
    st.sampled_from([1, -1]),
)
def test_interval_p_and_verdict_agree(
    value: float,
    between: float,
    shared: float,
    seeds: int,
    groups: int,
    comparisons: int,
    margin: float,
    sign: int,
) -> None:
    actual = difference(
        value,
        between,
        shared,
        seeds=seeds,
        groups=groups,
        comparisons=comparisons,
        margin=margin,
        sign=sign,
    )
    assert actual.low <= value <= actual.high
    if actual.is_shown:
        assert not actual.low <= 0 <= actual.high
        assert actual.verdict == ("better" if sign * value > 0 else "worse")
    else:
        assert actual.low <= 0 <= actual.high
        inside = -margin < value - actual.equal_reach and value + actual.equal_reach < margin
        assert actual.verdict == ("equal" if inside else "undecided")
    if abs(actual.p - 0.05) > 1e-6:
        assert actual.is_shown == (actual.p < 0.05)
    assert actual.low <= actual.estimate.low
    assert actual.high >= actual.estimate.high
    turned = difference(
        -value,
        between,
        shared,
        seeds=seeds,
        groups=groups,
        comparisons=comparisons,
        margin=margin,
        sign=-sign,
    )
    assert turned.verdict == actual.verdict
