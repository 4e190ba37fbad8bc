"""Designs that cannot be built: the message names the factor, the level or the arm."""

from __future__ import annotations

import pytest
from message_facts import Naming
from small_designs import DROPOUT, LOSS, design, factor

from mmclf.errors import InputError


@pytest.mark.parametrize("kind", ["leave_one_out", "add_one", "ladder", "attribution"])
def test_a_design_of_changes_takes_factors_of_two_levels_alone(kind: str) -> None:
    with pytest.raises(InputError, match=r"study\.factors\.loss: .*3 levels"):
        design(kind, LOSS, DROPOUT)


@pytest.mark.parametrize(
    ("kind", "names", "message"),
    [
        ("attribution", ["improved", "b"], "'improved', .*'improved'$"),
        ("attribution", ["a", "default"], "'default', .*'default'$"),
        ("attribution", ["a", "b", "a + b", "c"], r"'a \+ b', .*'a' .*'b' "),
        ("ladder", ["a", "b"], None),
        ("leave_one_out", ["improved", "without improved"], None),
    ],
)
def test_arms_of_one_name_are_refused(kind: str, names: list[str], message: str | None) -> None:
    factors = [factor(name, "off", "on") for name in names]
    if message is None:
        built = design(kind, *factors)
        assert len({arm.name for arm in built.arms}) == len(built.arms)
        return
    with pytest.raises(InputError, match=rf"study\.factors: .* called {message}"):
        design(kind, *factors)


def test_names_that_are_repeated_for_one_reason_are_one_finding() -> None:
    factors = [factor(name, "off", "on") for name in ("a", "b", "a + b", "c")]
    with pytest.raises(InputError) as caught:
        design("attribution", *factors)
    assert len(caught.value.problems) == 1


def test_arms_of_one_name_tell_what_they_are() -> None:
    with pytest.raises(InputError) as caught:
        design("attribution", factor("improved", "off", "on"), factor("b", "0", "1"))
    (problem,) = caught.value.problems
    assert problem == Naming("improved=on, b=0", "improved=on, b=1")


def test_a_level_that_makes_the_name_of_two_arms_is_named() -> None:
    with pytest.raises(InputError, match=r"'base' of 'x'") as caught:
        design("grid", factor("x", "base", "base, y=1"), factor("y", "1", "1, y=1"))
    assert str(caught.value) == Naming("'x=base, y=1, y=1'")


def test_a_baseline_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'focla'.*'focal'"):
        design("grid", LOSS, baseline="focla")


def test_a_design_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"study\.design: .*'gird' .*'grid'"):
        design("gird", LOSS)
