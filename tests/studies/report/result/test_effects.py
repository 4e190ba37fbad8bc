"""Effects out of tracked runs: Shapley values, what comes to nothing, correction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from three_arms import ARMS, definition, start, track

from mmclf.storage.tracking import Tracker
from mmclf.studies.design_kinds import Arm, Effect
from mmclf.studies.report.result.collect import collect

pytest_plugins = ["tracker_fixture"]
pytestmark = pytest.mark.slow


def test_sampled_orders_widen_the_interval_of_a_shapley_value(
    tracker: Tracker, tmp_path: Path
) -> None:
    weights = ({"a": -1.0, "b": 1.0}, {"a": -1.0, "c": 1.0})
    mean = {"a": -1.0, "b": 0.5, "c": 0.5}
    actual = {}
    for name, draws in {"exact": (), "sampled": weights, "one": weights[:1]}.items():
        folder = tmp_path / name
        folder.mkdir()
        asked = replace(
            definition((0, 1)), design="attribution", effects=(Effect("x", mean, draws),)
        )
        parent = start(tracker, folder, asked)
        for seed in (0, 1):
            for arm, wrong in {"a": 0.3, "b": 0.25, "c": 0.05}.items():
                track(tracker, folder, parent.id, arm, seed, wrong)
        actual[name] = collect(tracker, parent)
    exact, sampled, one = (of.effects[0].difference for of in actual.values())
    assert exact is not None
    assert sampled is not None
    assert one is not None
    arms = {arm.name: arm.mean("test/f1_samples") for arm in actual["exact"].arms}
    spread = np.var([arms["b"] - arms["a"], arms["c"] - arms["a"]], ddof=1) / 2
    # A part of the spread is that of the runs' own noise, which counts already.
    added = sampled.estimate.shared - exact.estimate.shared
    assert 0 < added < spread
    assert sampled.estimate.between == exact.estimate.between
    assert one.estimate == exact.estimate
    orders = {
        name: [note for note in of.notes if "random order" in note] for name, of in actual.items()
    }
    assert orders["exact"] == []
    assert (
        "2 random orders of the changes and the reverse; the intervals hold what"
        in orders["sampled"][0]
    )
    assert (
        "1 random order of the changes and the reverse; the intervals hold nothing"
        in orders["one"][0]
    )


def test_what_comes_to_nothing_is_no_effect(tracker: Tracker, tmp_path: Path) -> None:
    thirds = {"a": -1.0, "b": 1 / 3, "c": 2 / 3}
    asked = replace(definition((0, 1, 2)), effects=(Effect("x", thirds),))
    parent = start(tracker, tmp_path, asked)
    for seed, wrong in enumerate((0.1, 0.2, 0.3)):
        for arm in ARMS:
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    difference = collect(tracker, parent).effects[0].difference
    assert difference is not None
    assert (difference.low, difference.high, difference.p) == (0.0, 0.0, 1.0)


def test_the_whole_of_an_attribution_is_corrected_with_its_parts(
    tracker: Tracker, tmp_path: Path
) -> None:
    arms = tuple(Arm(name, {}, (f"x={name}",)) for name in ("default", "one", "two", "improved"))
    asked = replace(
        definition((0, 1, 2)),
        design="attribution",
        baseline="default",
        arms=arms,
        effects=(
            Effect("one", {"default": -0.5, "one": 0.5, "two": -0.5, "improved": 0.5}),
            Effect("two", {"default": -0.5, "one": -0.5, "two": 0.5, "improved": 0.5}),
        ),
    )
    parent = start(tracker, tmp_path, asked)
    rates = {"default": 0.3, "one": 0.25, "two": 0.22, "improved": 0.2}
    for seed in (0, 1, 2):
        for arm, wrong in rates.items():
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    result = collect(tracker, parent)
    whole = result.arms[-1].difference
    parts = [effect.difference for effect in result.effects]
    assert whole is not None
    known = [one for one in (*parts, whole) if one is not None]
    assert [one.comparisons for one in known] == [3, 3, 3]
    assert [one.p for one in known] == [min(1.0, 3 * one.estimate.p) for one in known]
    assert sum(one.estimate.value for one in known[:2]) == pytest.approx(whole.estimate.value)


RATES = {"default": 0.3, "+ one": 0.25, "improved": 0.2}
SUBSETS = {"default": 0.3, "one": 0.26, "two": 0.22, "improved": 0.15}
LADDER = (
    Effect("one", {"+ one": 1.0, "default": -1.0}),
    Effect("two", {"improved": 1.0, "+ one": -1.0}),
)
SHAPLEY = (
    Effect("one", {"default": -0.5, "one": 0.5, "two": -0.5, "improved": 0.5}),
    Effect("two", {"default": -0.5, "one": -0.5, "two": 0.5, "improved": 0.5}),
)


@pytest.mark.parametrize(
    ("design", "rates", "effects", "lost"),
    [
        ("ladder", RATES, LADDER, ("+ one", 1)),
        ("ladder", RATES, LADDER, ("default", 1)),
        ("attribution", SUBSETS, SHAPLEY, ("two", 1)),
        ("attribution", SUBSETS, SHAPLEY, ("improved", 1)),
    ],
)
def test_effects_add_up_where_a_run_is_lost(
    design: str,
    rates: Mapping[str, float],
    effects: tuple[Effect, ...],
    lost: tuple[str, int],
    tracker: Tracker,
    tmp_path: Path,
) -> None:
    arms = tuple(Arm(name, {}, (f"x={name}",)) for name in rates)
    asked = replace(
        definition((0, 1, 2)), design=design, baseline="default", arms=arms, effects=effects
    )
    parent = start(tracker, tmp_path, asked)
    for seed in (0, 1, 2):
        for arm, wrong in rates.items():
            if (arm, seed) != lost:
                track(tracker, tmp_path, parent.id, arm, seed, wrong)
    result = collect(tracker, parent)
    parts = [one.difference for one in result.effects if one.difference is not None]
    whole, ends = result.arms[-1].difference, result.ends
    assert whole is not None
    assert ends is not None
    assert [one.estimate.seeds for one in (*parts, whole)] == [2, 2, 2]
    gain = sum(one.estimate.value for one in parts)
    assert gain == pytest.approx(whole.estimate.value, abs=1e-11)
    assert ends.start.value + gain == pytest.approx(ends.end.value, abs=1e-11)
    assert any("the effects are of the 2 seeds that all arms" in note for note in result.notes)


def test_an_arm_that_no_seed_has_takes_its_own_effects_alone(
    tracker: Tracker, tmp_path: Path
) -> None:
    arms = tuple(Arm(name, {}, (f"x={name}",)) for name in (*RATES, "beyond"))
    beyond = Effect("three", {"beyond": 1.0, "improved": -1.0})
    asked = replace(
        definition((0, 1)),
        design="ladder",
        baseline="default",
        arms=arms,
        effects=(*LADDER, beyond),
    )
    parent = start(tracker, tmp_path, asked)
    for seed in (0, 1):
        for arm, wrong in RATES.items():
            track(tracker, tmp_path, parent.id, arm, seed, wrong)
    result = collect(tracker, parent)
    assert [effect.difference is None for effect in result.effects] == [False, False, True]
    assert (result.arms[-1].difference, result.ends) == (None, None)
    assert any("“three” are not known" in note for note in result.notes)
