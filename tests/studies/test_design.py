"""Designs: their arms and effects against lists written by hand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_facts import Naming

from mmclf.errors import InputError
from mmclf.studies.design import Design, build_design
from mmclf.studies.design_kinds import DESIGNS
from mmclf.studies.factors import Factor, Level


def factor(name: str, *levels: str) -> Factor:
    return Factor(name, tuple(Level(level, (f"{name}={level}",)) for level in levels))


LOSS = factor("loss", "bce", "focal", "asymmetric")
DROPOUT = factor("dropout", "0.0", "0.2")
CHANGES = [factor("loss", "bce", "wbce"), factor("lr", "1", "2"), factor("size", "64", "256")]


def design(kind: str, *factors: Factor, baseline: str | None = None, orders: int = 4) -> Design:
    return build_design(kind, factors, baseline, orders)


def arms(found: Design) -> list[tuple[str, str]]:
    return [(arm.name, " ".join(arm.overrides)) for arm in found.arms]


def effects(found: Design) -> list[tuple[str, dict[str, float]]]:
    return [(effect.name, dict(effect.weights)) for effect in found.effects]


def test_a_grid_has_all_combinations() -> None:
    found = design("grid", LOSS, DROPOUT)
    assert arms(found) == [
        ("loss=bce, dropout=0.0", "loss=bce dropout=0.0"),
        ("loss=bce, dropout=0.2", "loss=bce dropout=0.2"),
        ("loss=focal, dropout=0.0", "loss=focal dropout=0.0"),
        ("loss=focal, dropout=0.2", "loss=focal dropout=0.2"),
        ("loss=asymmetric, dropout=0.0", "loss=asymmetric dropout=0.0"),
        ("loss=asymmetric, dropout=0.2", "loss=asymmetric dropout=0.2"),
    ]
    assert found.baseline == "loss=bce, dropout=0.0"


@pytest.mark.parametrize("kind", sorted(DESIGNS))
def test_a_study_that_stops_early_asks_for_differences_unless_effects_add_up(kind: str) -> None:
    factors = CHANGES if DESIGNS[kind].of_changes else (LOSS, DROPOUT)
    whole = build_design(kind, factors, None, 4)
    early = build_design(kind, factors, None, 4, stops_early=True)
    assert (early.arms, early.baseline) == (whole.arms, whole.baseline)
    if DESIGNS[kind].adds_up:
        assert early.effects == whole.effects
    else:
        names = [arm.name for arm in whole.arms[1:]]
        assert effects(early) == [(name, {name: 1.0, whole.baseline: -1.0}) for name in names]


def test_a_grid_of_two_factors_asks_for_main_effects_and_interactions() -> None:
    found = design("grid", LOSS, DROPOUT, baseline="loss=focal, dropout=0.0")
    bce, focal = "loss=bce, dropout={}", "loss=focal, dropout={}"
    every = dict(effects(found))
    assert list(every) == [
        "loss=bce",
        "loss=asymmetric",
        "dropout=0.2",
        "loss=bce x dropout=0.2",
        "loss=asymmetric x dropout=0.2",
    ]
    assert every["loss=bce"] == pytest.approx(
        {
            **{bce.format(level): 0.5 for level in ("0.0", "0.2")},
            **{focal.format(level): -0.5 for level in ("0.0", "0.2")},
        }
    )
    assert every["dropout=0.2"] == pytest.approx(
        {
            f"loss={loss}, dropout={level}": sign / 3
            for loss in ("bce", "focal", "asymmetric")
            for level, sign in (("0.0", -1), ("0.2", 1))
        }
    )
    assert every["loss=bce x dropout=0.2"] == {
        bce.format("0.2"): 1.0,
        bce.format("0.0"): -1.0,
        focal.format("0.2"): -1.0,
        focal.format("0.0"): 1.0,
    }


def test_a_grid_of_one_factor_is_called_after_its_levels() -> None:
    found = design("grid", LOSS, baseline="focal")
    assert arms(found) == [
        ("bce", "loss=bce"),
        ("focal", "loss=focal"),
        ("asymmetric", "loss=asymmetric"),
    ]
    assert effects(found) == [
        ("bce", {"bce": 1.0, "focal": -1.0}),
        ("asymmetric", {"asymmetric": 1.0, "focal": -1.0}),
    ]


def test_one_at_a_time_has_the_base_and_each_other_level_alone() -> None:
    found = design("one_at_a_time", LOSS, DROPOUT)
    assert arms(found) == [
        ("base", "loss=bce dropout=0.0"),
        ("loss=focal", "loss=focal dropout=0.0"),
        ("loss=asymmetric", "loss=asymmetric dropout=0.0"),
        ("dropout=0.2", "loss=bce dropout=0.2"),
    ]
    assert found.baseline == "base"


def test_leave_one_out_reverts_each_change_of_the_improved_one() -> None:
    found = design("leave_one_out", *CHANGES)
    assert arms(found) == [
        ("improved", "loss=wbce lr=2 size=256"),
        ("without loss", "loss=bce lr=2 size=256"),
        ("without lr", "loss=wbce lr=1 size=256"),
        ("without size", "loss=wbce lr=2 size=64"),
    ]
    assert found.baseline == "improved"


def test_add_one_adds_each_change_to_the_default_one() -> None:
    found = design("add_one", *CHANGES)
    assert arms(found) == [
        ("default", "loss=bce lr=1 size=64"),
        ("with loss", "loss=wbce lr=1 size=64"),
        ("with lr", "loss=bce lr=2 size=64"),
        ("with size", "loss=bce lr=1 size=256"),
    ]
    assert found.baseline == "default"


def test_a_ladder_makes_one_change_after_the_other() -> None:
    found = design("ladder", *CHANGES)
    assert arms(found) == [
        ("default", "loss=bce lr=1 size=64"),
        ("+ loss", "loss=wbce lr=1 size=64"),
        ("+ lr", "loss=wbce lr=2 size=64"),
        ("improved", "loss=wbce lr=2 size=256"),
    ]
    assert effects(found) == [
        ("loss", {"+ loss": 1.0, "default": -1.0}),
        ("lr", {"+ lr": 1.0, "+ loss": -1.0}),
        ("size", {"improved": 1.0, "+ lr": -1.0}),
    ]


def test_an_attribution_has_all_subsets_of_the_changes() -> None:
    found = design("attribution", *CHANGES)
    assert arms(found) == [
        ("default", "loss=bce lr=1 size=64"),
        ("loss", "loss=wbce lr=1 size=64"),
        ("lr", "loss=bce lr=2 size=64"),
        ("size", "loss=bce lr=1 size=256"),
        ("loss + lr", "loss=wbce lr=2 size=64"),
        ("loss + size", "loss=wbce lr=1 size=256"),
        ("lr + size", "loss=bce lr=2 size=256"),
        ("improved", "loss=wbce lr=2 size=256"),
    ]
    third, sixth = 1 / 3, 1 / 6
    expected = {
        "default": -third,
        "loss": third,
        "lr": -sixth,
        "size": -sixth,
        "loss + lr": sixth,
        "loss + size": sixth,
        "lr + size": -third,
        "improved": third,
    }
    assert dict(found.effects[0].weights) == pytest.approx(expected)


def test_seven_changes_have_all_subsets_and_eight_are_sampled() -> None:
    many = [factor(f"f{i}", "a", "b") for i in range(8)]
    assert len(design("attribution", *many[:7]).arms) == 2**7
    found = design("attribution", *many, orders=4)
    names = [arm.name for arm in found.arms]
    assert names[0] == "default"
    assert names[-1] == "improved"
    assert len(set(names)) == len(names)
    assert len(names) <= 2 + 4 * 7
    used = {name for effect in found.effects for name in effect.weights}
    assert used <= set(names)


@pytest.mark.parametrize(("orders", "draws"), [(4, 2), (5, 3)])
def test_sampled_orders_have_a_draw_for_each_pair(orders: int, draws: int) -> None:
    many = [factor(f"f{i}", "a", "b") for i in range(8)]
    found = design("attribution", *many, orders=orders)
    for effect in found.effects:
        assert len(effect.draws) == draws
        # An order and its reverse are one draw, the last one may have none.
        counts = [2, 2, 1] if orders % 2 else [2, 2]
        for arm, weight in effect.weights.items():
            parts = [n * draw.get(arm, 0.0) for n, draw in zip(counts, effect.draws, strict=True)]
            assert weight == pytest.approx(sum(parts) / orders)
    exact = design("attribution", *many[:7], orders=orders)
    assert {effect.draws for effect in exact.effects} == {()}


@given(st.integers(1, 9), st.integers(1, 6))
def test_what_an_attribution_accounts_for_adds_up_to_the_whole_gain(
    changes: int, orders: int
) -> None:
    found = design(
        "attribution", *(factor(f"f{i}", "a", "b") for i in range(changes)), orders=orders
    )
    total: dict[str, float] = {}
    for effect in found.effects:
        for arm, weight in effect.weights.items():
            total[arm] = total.get(arm, 0.0) + weight
    left = {arm: weight for arm, weight in total.items() if abs(weight) > 1e-9}
    assert left == pytest.approx({"improved": 1.0, "default": -1.0})


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
        found = design(kind, *factors)
        assert len({arm.name for arm in found.arms}) == len(found.arms)
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


@pytest.mark.parametrize("kind", DESIGNS)
def test_every_effect_is_a_contrast_of_arms_that_there_are(kind: str) -> None:
    found = design(kind, *CHANGES)
    names = {arm.name for arm in found.arms}
    assert len(names) == len(found.arms)
    for effect in found.effects:
        assert set(effect.weights) <= names
        assert sum(effect.weights.values()) == pytest.approx(0)
    for one, other in itertools.combinations(found.arms, 2):
        assert one.overrides != other.overrides


def test_effects_that_add_up_are_the_gain_from_the_first_arm_to_the_last() -> None:
    adding_up = [name for name, kind in DESIGNS.items() if kind.adds_up]
    assert adding_up == ["ladder", "attribution"]
    for name in adding_up:
        found = design(name, *CHANGES)
        total: dict[str, float] = {}
        for effect in found.effects:
            for arm, weight in effect.weights.items():
                total[arm] = total.get(arm, 0.0) + weight
        left = {arm: weight for arm, weight in total.items() if abs(weight) > 1e-9}
        assert left == pytest.approx({found.arms[-1].name: 1.0, found.arms[0].name: -1.0})


def test_a_design_that_there_is_not_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"study\.design: .*'gird' .*'grid'"):
        design("gird", LOSS)
