from __future__ import annotations

import math

import pytest

from mmclf.plots.words import (
    counted,
    interval,
    listed,
    margin_words,
    plain,
    points,
    quoted,
    score,
    shortened,
)


@pytest.mark.parametrize(
    ("value", "signed", "shown"),
    [
        (0.0123, True, "+1.23"),
        (-0.0123, True, "-1.23"),
        (0.0123, False, "1.23"),
        (-0.00001, True, "0.00"),
        (0.0, True, "0.00"),
        (math.nan, True, "not known"),
    ],
)
def test_points_are_hundredths(value: float, signed: bool, shown: str) -> None:
    assert points(value, signed=signed) == shown


def test_intervals() -> None:
    assert interval(-0.002, 0.0104) == "-0.20 to +1.04"
    assert interval(0.002, 0.0104, signed=False) == "0.20 to 1.04"
    assert interval(math.nan, math.nan) == "not known"


@pytest.mark.parametrize(
    ("margin", "shown"),
    [(0.005, "half a point"), (0.01, "1 point"), (0.003, "0.3 points"), (0.0, "0 points")],
)
def test_a_margin_is_said_in_points(margin: float, shown: str) -> None:
    assert margin_words(margin) == shown


def test_scores() -> None:
    assert score(0.81006) == "81.01"
    assert score(1.0) == "100.00"
    assert score(math.nan) == "—"


@pytest.mark.parametrize(
    ("words", "most", "expected"),
    [
        ([], None, ""),
        (["a"], None, "a"),
        (["a", "b"], None, "a and b"),
        (["a", "b", "c"], None, "a, b and c"),
        (["a", "b", "c"], 3, "a, b and c"),
        (["a", "b", "c", "d"], 2, "a, b and 2 more"),
    ],
)
def test_lists(words: list[str], most: int | None, expected: str) -> None:
    assert listed(words, most) == expected


def test_counts() -> None:
    assert counted(1, "run") == "1 run"
    assert counted(0, "run") == "0 runs"


def test_a_long_name_keeps_both_ends() -> None:
    name = "vision=efficientnet_lite0, text=minilm"
    assert shortened(name, 20) == "vision=eff…xt=minilm"
    assert shortened(name, len(name)) == name
    assert len(quoted("x" * 500)) == 62


def test_what_a_page_cannot_hold_is_replaced() -> None:
    assert plain("a\r\nb\t  c") == "a\nb\t  c"
    assert shortened("a\nb\t  c", 10) == "a b c"
    assert plain("a\x00b\x7f\uffff") == "a\ufffdb\ufffd\ufffd"
    assert plain("\x08\x0e\x1b\x80\x9f\ufffe\U0010ffff") == "\ufffd" * 7
    assert plain(" ~\xa0\ufffd\U0010fffd") == " ~\xa0\ufffd\U0010fffd"
    assert plain("a\ud800b") == "a?b"
    assert plain("日本 é") == "日本 é"
