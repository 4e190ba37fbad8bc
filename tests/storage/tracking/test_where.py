"""Conditions on tracked runs: what is read, what holds, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.errors import InputError
from mmclf.storage.tracking import TrackedRun
from mmclf.storage.tracking.where import Condition, check_keys, read_conditions, value_of

RUN = TrackedRun(
    id="ab12",
    name="focal, seed=1",
    status="FINISHED",
    started_ms=1_700_000_000_000,
    parent=None,
    tags={"mmclf.arm": "focal", "mmclf.seed": "1", "mmclf.loss": "shadowed"},
    params={"loss": "focal", "optimizer.lr": "0.001"},
    metrics={"test/f1_samples": 0.86, "test/f1_label/traffic light": 0.5},
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("test/f1_samples > 0.85", True),
        ("test/f1_samples>0.86", False),
        ("test/f1_samples >= 0.86", True),
        ("test/f1_samples < 0.86", False),
        ("test/f1_samples <= 0.86", True),
        ("metrics.`test/f1_samples` = 0.860", True),
        ('"test/f1_label/traffic light" == 0.5', True),
        ("optimizer.lr = 1e-3", True),
        ("params.loss = 'focal'", True),
        ("loss != bce", True),
        ("loss = Focal", False),
        ("arm = focal and seed = 1", True),
        ("arm = focal AND seed = 2", False),
        ("name ~ SEED=1", False),  # an = is an operator
        ("name ~ 'SEED=1'", True),
        ("status = FINISHED", True),
        ("started > 2023-11-01", True),
        ("started < 2023", False),
        ("parent = x", False),
        ("missing != 3", False),
    ],
)
def test_a_condition_holds_or_not(text: str, holds: bool) -> None:
    try:
        conditions = read_conditions(text)
    except InputError:
        assert not holds
        return
    assert all(condition.holds(RUN) for condition in conditions) is holds


@pytest.mark.parametrize(
    "text", ["", "loss", "loss =", "= focal", "a > 1 and", "a > 1 or b < 2", "a > 1 b < 2", "a ! 3"]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_conditions(text)
    assert str(caught.value) == Naming("--where", repr(text), "test/f1_samples > 0.85")


NAMES = st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1).filter(
    lambda text: "'" not in text
)


@given(st.lists(st.tuples(NAMES, st.sampled_from(["=", "!=", ">", "~"]), NAMES), min_size=1))
def test_quoted_names_and_values_come_back_as_they_are(
    parts: list[tuple[str, str, str]],
) -> None:
    text = " and ".join(f"'{key}' {sign} '{value}'" for key, sign, value in parts)
    prefixes = ("metrics.", "params.", "tags.", "attributes.")
    expected = [
        Condition(key, sign, value) for key, sign, value in parts if not key.startswith(prefixes)
    ]
    if len(expected) == len(parts):
        assert read_conditions(text) == expected


def test_a_value_is_a_metric_a_parameter_or_a_tag() -> None:
    assert value_of(RUN, "loss") == "focal"
    assert value_of(RUN, "arm") == value_of(RUN, "mmclf.arm") == "focal"
    assert value_of(RUN, "run_id") == "ab12"
    assert value_of(RUN, "nothing") is None


def test_a_key_that_no_run_has_names_the_nearest() -> None:
    check_keys(["loss", "test/f1_samples", "arm"], [RUN], "--where")
    check_keys(["anything"], [], "--where")
    with pytest.raises(InputError) as caught:
        check_keys(["test/f1_sample"], [RUN], "--sort")
    assert str(caught.value) == Naming("--sort", "'test/f1_sample'", "'test/f1_samples'")
