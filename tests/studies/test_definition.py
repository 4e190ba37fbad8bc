from __future__ import annotations

from dataclasses import replace

import pytest

from mmclf.studies.definition import Definition
from mmclf.studies.design import build_design
from mmclf.studies.design_kinds import differences
from mmclf.studies.factors import Factor, Level


def defined(kind: str, *names: str) -> Definition:
    factors = [
        Factor(name, tuple(Level(level, (f"{name}={level}",)) for level in ("a", "b")))
        for name in names
    ]
    design = build_design(kind, factors, None, 4)
    return Definition(
        name="made_up",
        question="?",
        design=kind,
        metric="test/f1_samples",
        baseline=design.baseline,
        seeds=(0, 1),
        factors={name: ["a", "b"] for name in names},
        arms=design.arms,
        effects=design.effects,
        command="mmclf",
        data="0",
    )


@pytest.mark.parametrize(
    ("kind", "factors", "asked"),
    [
        ("grid", "xy", True),
        ("grid", "x", False),
        ("one_at_a_time", "xy", False),
        ("leave_one_out", "xy", False),
        ("add_one", "xy", False),
        ("ladder", "xy", True),
        ("ladder", "x", True),
        ("attribution", "xy", True),
    ],
)
def test_which_designs_ask_for_effects_beside_the_differences(
    kind: str, factors: str, asked: bool
) -> None:
    assert defined(kind, *factors).asks_effects is asked


def test_a_grid_that_was_kept_with_differences_alone_asks_for_no_effects() -> None:
    definition = defined("grid", "x", "y")
    kept = tuple(differences(definition.arms, definition.baseline, (), 0))
    assert replace(definition, effects=kept).asks_effects is False
