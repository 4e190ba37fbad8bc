"""Designs: their arms and effects against lists written by hand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_designs import CHANGES, DROPOUT, LOSS, arms, design, effects, factor

from mmclf.studies.design import build_design
from mmclf.studies.design_kinds import DESIGNS


def test_a_grid_has_all_combinations() -> None:
    built = design("grid", LOSS, DROPOUT)
    assert arms(built) == [
        ("loss=bce, dropout=0.0", "loss=bce dropout=0.0"),
        ("loss=bce, dropout=0.2", "loss=bce dropout=0.2"),
        ("loss=focal, dropout=0.0", "loss=focal dropout=0.0"),
        ("loss=focal, dropout=0.2", "loss=focal dropout=0.2"),
        ("loss=asymmetric, dropout=0.0", "loss=asymmetric dropout=0.0"),
        ("loss=asymmetric, dropout=0.2", "loss=asymmetric dropout=0.2"),
    ]
    assert built.baseline == "loss=bce, dropout=0.0"


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
    built = design("grid", LOSS, DROPOUT, baseline="loss=focal, dropout=0.0")
    bce, focal = "loss=bce, dropout={}", "loss=focal, dropout={}"
    every = dict(effects(built))
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
    built = design("grid", LOSS, baseline="focal")
    assert arms(built) == [
        ("bce", "loss=bce"),
        ("focal", "loss=focal"),
        ("asymmetric", "loss=asymmetric"),
    ]
    assert effects(built) == [
        ("bce", {"bce": 1.0, "focal": -1.0}),
        ("asymmetric", {"asymmetric": 1.0, "focal": -1.0}),
    ]


def test_one_at_a_time_has_the_base_and_each_other_level_alone() -> None:
    built = design("one_at_a_time", LOSS, DROPOUT)
    assert arms(built) == [
        ("base", "loss=bce dropout=0.0"),
        ("loss=focal", "loss=focal dropout=0.0"),
        ("loss=asymmetric", "loss=asymmetric dropout=0.0"),
        ("dropout=0.2", "loss=bce dropout=0.2"),
    ]
    assert built.baseline == "base"


def test_leave_one_out_reverts_each_change_of_the_improved_one() -> None:
    built = design("leave_one_out", *CHANGES)
    assert arms(built) == [
        ("improved", "loss=wbce lr=2 size=256"),
        ("without loss", "loss=bce lr=2 size=256"),
        ("without lr", "loss=wbce lr=1 size=256"),
        ("without size", "loss=wbce lr=2 size=64"),
    ]
    assert built.baseline == "improved"


def test_add_one_adds_each_change_to_the_default_one() -> None:
    built = design("add_one", *CHANGES)
    assert arms(built) == [
        ("default", "loss=bce lr=1 size=64"),
        ("with loss", "loss=wbce lr=1 size=64"),
        ("with lr", "loss=bce lr=2 size=64"),
        ("with size", "loss=bce lr=1 size=256"),
    ]
    assert built.baseline == "default"


def test_a_ladder_makes_one_change_after_the_other() -> None:
    built = design("ladder", *CHANGES)
    assert arms(built) == [
        ("default", "loss=bce lr=1 size=64"),
        ("+ loss", "loss=wbce lr=1 size=64"),
        ("+ lr", "loss=wbce lr=2 size=64"),
        ("improved", "loss=wbce lr=2 size=256"),
    ]
    assert effects(built) == [
        ("loss", {"+ loss": 1.0, "default": -1.0}),
        ("lr", {"+ lr": 1.0, "+ loss": -1.0}),
        ("size", {"improved": 1.0, "+ lr": -1.0}),
    ]


def test_an_attribution_has_all_subsets_of_the_changes() -> None:
    built = design("attribution", *CHANGES)
    assert arms(built) == [
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
    assert dict(built.effects[0].weights) == pytest.approx(expected)


def test_seven_changes_have_all_subsets_and_eight_are_sampled() -> None:
    many = [factor(f"f{i}", "a", "b") for i in range(8)]
    assert len(design("attribution", *many[:7]).arms) == 2**7
    built = design("attribution", *many, orders=4)
    names = [arm.name for arm in built.arms]
    assert names[0] == "default"
    assert names[-1] == "improved"
    assert len(set(names)) == len(names)
    assert len(names) <= 2 + 4 * 7
    used = {name for effect in built.effects for name in effect.weights}
    assert used <= set(names)


@pytest.mark.parametrize(("orders", "draws"), [(4, 2), (5, 3)])
def test_sampled_orders_have_a_draw_for_each_pair(orders: int, draws: int) -> None:
    many = [factor(f"f{i}", "a", "b") for i in range(8)]
    built = design("attribution", *many, orders=orders)
    for effect in built.effects:
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
    built = design(
        "attribution", *(factor(f"f{i}", "a", "b") for i in range(changes)), orders=orders
    )
    total: dict[str, float] = {}
    for effect in built.effects:
        for arm, weight in effect.weights.items():
            total[arm] = total.get(arm, 0.0) + weight
    left = {arm: weight for arm, weight in total.items() if abs(weight) > 1e-9}
    assert left == pytest.approx({"improved": 1.0, "default": -1.0})


@pytest.mark.parametrize("kind", DESIGNS)
def test_every_effect_is_a_contrast_of_arms_that_there_are(kind: str) -> None:
    built = design(kind, *CHANGES)
    names = {arm.name for arm in built.arms}
    assert len(names) == len(built.arms)
    for effect in built.effects:
        assert set(effect.weights) <= names
        assert sum(effect.weights.values()) == pytest.approx(0)
    for first, second in itertools.combinations(built.arms, 2):
        assert first.overrides != second.overrides


def test_effects_that_add_up_are_the_gain_from_the_first_arm_to_the_last() -> None:
    adding_up = [name for name, kind in DESIGNS.items() if kind.adds_up]
    assert adding_up == ["ladder", "attribution"]
    for name in adding_up:
        built = design(name, *CHANGES)
        total: dict[str, float] = {}
        for effect in built.effects:
            for arm, weight in effect.weights.items():
                total[arm] = total.get(arm, 0.0) + weight
        left = {arm: weight for arm, weight in total.items() if abs(weight) > 1e-9}
        assert left == pytest.approx({built.arms[-1].name: 1.0, built.arms[0].name: -1.0})
