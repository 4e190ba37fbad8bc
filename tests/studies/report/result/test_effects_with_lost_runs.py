"""The parts of a gain are its parts where a run is lost, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mmclf.studies.definition import Definition
from mmclf.studies.design import build_design
from mmclf.studies.factors import Factor, Level
from mmclf.studies.report.result.effects import asked_effects
from mmclf.studies.report.result.scores import Floats, summed_scores
from mmclf.studies.run_key import RunKey

SEEDS = (0, 1, 2)


def scored(kind: str, count: int) -> tuple[Definition, dict[RunKey, float]]:
    """A study of so many changes, and a score of each of its runs."""
    factors = [
        Factor(f"change {i}", (Level("before", ()), Level("after", ()))) for i in range(count)
    ]
    design = build_design(kind, factors, None, 6)
    asked = Definition(
        name="made_up",
        question="",
        design=kind,
        metric="test/f1_samples",
        baseline=design.baseline,
        seeds=SEEDS,
        factors={},
        arms=design.arms,
        effects=design.effects,
        command="",
        data="",
    )
    chance = np.random.default_rng(0)
    runs = [RunKey(arm.name, seed) for arm in asked.arms for seed in SEEDS]
    return asked, {run: float(chance.normal(0.8, 0.01)) for run in runs}


@pytest.mark.parametrize(("kind", "count"), [("attribution", 3), ("attribution", 8), ("ladder", 4)])
@pytest.mark.parametrize("lost", [None, 1, -1])
def test_parts_add_up_to_the_gain(kind: str, count: int, lost: int | None) -> None:
    asked, values = scored(kind, count)
    if lost is not None:
        del values[RunKey(asked.arms[lost].name, 2)]
    chance = np.random.default_rng(1)

    def scored_runs(runs: Sequence[RunKey]) -> tuple[Floats, Floats]:
        of_runs = np.array([values[run] for run in runs])
        return of_runs, of_runs + chance.normal(0, 0.01, (100, len(runs)))

    actual = asked_effects(asked, summed_scores(values, scored_runs, 800))
    whole = actual.whole
    assert whole is not None
    known = [part.difference for part in actual.effects if part.difference is not None]
    assert len(known) == count
    assert sum(part.estimate.value for part in known) == pytest.approx(
        whole.estimate.value, abs=1e-10
    )
    seeds = SEEDS if lost is None else SEEDS[:2]
    arms = asked.arms
    gains = [values[RunKey(arms[-1].name, s)] - values[RunKey(arms[0].name, s)] for s in seeds]
    assert whole.estimate.value == pytest.approx(np.mean(gains), abs=1e-10)
    assert {part.estimate.seeds for part in (*known, whole)} == {len(seeds)}
    assert {part.comparisons for part in (*known, whole)} == {count + 1}
