"""Runs a study that stops when decided: round by round, until a look has decided every effect.

A round gives the arms of the effects that go on as many seeds as the next look is at. An effect
that lacks runs, as one failed, waits at its look for the next command; the others go on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mmclf.errors import tell
from mmclf.plots.words import counted, listed, margin_words
from mmclf.storage.tracking import RunLog, Tracker
from mmclf.studies.cells import RunJobs, read_cells, run_cells
from mmclf.studies.definition import Definition, Plan
from mmclf.studies.looks import Judged, Look, Looks, fetch_looks, planned_looks, with_plan
from mmclf.studies.pending import finished
from mmclf.studies.report.result.interim import estimates_after
from mmclf.studies.run_key import RunKey
from mmclf.studies.statistics import spending
from mmclf.studies.statistics.estimates import Estimate
from mmclf.studies.statistics.stopping import Seen, decide


@dataclass(frozen=True)
class Round:
    """The effects of the next look, after so many seeds, and the arms that get them."""

    seeds: int
    effects: tuple[str, ...]
    arms: tuple[str, ...]


def plan_of(definition: Definition, most: int) -> Plan:
    """When a study of at most so many seeds is looked at, and by which levels."""
    rule = definition.stopping_rule(spending.looks(most))
    return Plan(
        rule.looks,
        tuple(rule.difference_levels[0].tolist()),
        tuple(rule.equality_levels.tolist()),
    )


def plan_in_words(definition: Definition) -> list[str]:
    """The looks at a study that stops when decided, their levels, and how many runs it may take."""
    plan = definition.plan
    assert plan is not None
    arms, first = len(definition.arms), min(plan.seeds)
    levels = ", ".join(f"{level:.2g}" for level in plan.levels)
    equality = ", ".join(f"{level:.2g}" for level in plan.equality_levels)
    fewest, most = arms * first, arms * plan.seeds[-1]
    runs = f"from {fewest} to {most} runs" if fewest < most else counted(most, "run")
    return [
        f"looks after {', '.join(map(str, plan.seeds))} seeds, {counted(arms, 'arm')}: {runs}",
        f"levels of p, {counted(len(definition.compared), 'comparison')}: {levels} for the first "
        f"difference; {equality} for equality within {margin_words(definition.margin)}",
    ]


def seeds_at_most(definition: Definition, looks: Looks | None) -> dict[str, int]:
    """How many seeds each arm may still come to: all, but for arms that no open effect weighs."""
    names = [arm.name for arm in definition.arms]
    if looks is None:
        return dict.fromkeys(names, len(definition.seeds))
    looks = with_plan(looks, planned_looks(definition))
    going = [of for of in definition.compared if looks.next_look(of.name) is not None]
    weighed = {arm for effect in going for arm in effect.weights}
    if definition.kind.adds_up and going:
        weighed = set(names)
    return {
        name: len(definition.seeds) if name in weighed else looks.given.get(name, 0)
        for name in names
    }


def next_round(definition: Definition, looks: Looks, waiting: Collection[str]) -> Round | None:
    """The next round of the effects that do not wait; None if there is none.

    Effects that add up are of the same seeds, so all arms go on while any of them does, and all
    wait if one does.
    """
    adds_up = definition.kind.adds_up
    if adds_up and waiting:
        return None
    next_look = {
        effect.name: seeds
        for effect in definition.compared
        if effect.name not in waiting and (seeds := looks.next_look(effect.name)) is not None
    }
    if not next_look:
        return None
    seeds = min(next_look.values())
    effects = [effect for effect in definition.compared if next_look.get(effect.name) == seeds]
    weighed = {arm for effect in effects for arm in effect.weights}
    arms = tuple(arm.name for arm in definition.arms if adds_up or arm.name in weighed)
    return Round(seeds, tuple(effect.name for effect in effects), arms)


def run_rounds(
    tracker: Tracker, definition: Definition, log: RunLog, run_jobs: RunJobs
) -> Exception | None:
    """Run every round that is left, and look after each; returns the first error of the jobs.

    What is lost of the runs of earlier rounds is run with the first one.
    """
    looks = _open_looks(tracker, definition, log)
    again, waiting = looks.given, set[str]()
    coming = next_round(definition, looks, waiting)
    if coming is None:
        return _run(tracker, _given(looks, again), log, run_jobs)
    errors = []
    while coming is not None:
        looks = _given(looks, _most(again, dict.fromkeys(coming.arms, coming.seeds)))
        errors.append(_run(tracker, looks, log, run_jobs))
        runs = [run for run in tracker.children(log.id) if run.status == "FINISHED"]
        estimates = estimates_after(tracker, definition, runs[::-1], coming.seeds)
        looks, lacking = _looked(definition, looks, coming, estimates)
        _keep(looks, log)
        again, waiting = {}, waiting | lacking
        coming = next_round(definition, looks, waiting)
    return next((error for error in errors if error is not None), None)


def _open_looks(tracker: Tracker, definition: Definition, log: RunLog) -> Looks:
    """The looks that the parent run keeps, under the present plan."""
    (parent,) = tracker.get([log.id])
    plan, looks = planned_looks(definition), fetch_looks(tracker, parent)
    if looks is None:
        return Looks(plan, runs_before=len(finished(tracker.children(log.id))))
    return with_plan(looks, plan)


def _given(looks: Looks, running: Mapping[str, int]) -> Looks:
    """The looks at the beginning of a round that runs so many seeds of arms."""
    return replace(looks, given=_most(looks.given, running), round=running)


def _most(these: Mapping[str, int], those: Mapping[str, int]) -> dict[str, int]:
    """The larger number of each arm."""
    return {arm: max(these.get(arm, 0), those.get(arm, 0)) for arm in {**these, **those}}


def _keep(looks: Looks, log: RunLog) -> None:
    with tempfile.TemporaryDirectory() as folder:
        looks.write(Path(folder), log)


def _run(tracker: Tracker, looks: Looks, log: RunLog, run_jobs: RunJobs) -> Exception | None:
    """Keep the present round, and run what is missing of it."""
    _keep(looks, log)
    wanted = {RunKey(arm, seed) for arm, seeds in looks.round.items() for seed in range(seeds)}
    pending = len(wanted) - len(read_cells(tracker, log.id, wanted).done)
    seeds = max(looks.round.values(), default=0)
    tell(f"up to {counted(seeds, 'seed')}: {len(wanted)} runs, {pending} of them to do")
    return run_cells(tracker, log.id, wanted, run_jobs)


def _looked(
    definition: Definition, looks: Looks, coming: Round, estimates: Sequence[Estimate | None]
) -> tuple[Looks, set[str]]:
    """The looks with the one at a round's effects, and those that lack runs for it."""
    names = [effect.name for effect in definition.compared]
    known_estimates = {
        name: of
        for name, of in zip(names, estimates, strict=True)
        if name in coming.effects and of is not None
    }
    lacking = set(coming.effects) - known_estimates.keys()
    if lacking:
        tell(f"wait for runs that failed: {listed(sorted(lacking), len(lacking))}")
    if not known_estimates:
        return looks, lacking
    rule = definition.stopping_rule(looks.plan.looks)
    before = np.array([looks.call(name) for name in names], dtype="<U6")
    after = decide(rule, coming.seeds, _seen(names, known_estimates), before)
    calls = dict(zip(names, after.tolist(), strict=True))
    at = rule.looks.index(coming.seeds)
    called = min(sum(looks.call(name) in ("better", "worse") for name in names), len(names) - 1)
    look = Look(
        coming.seeds,
        float(rule.difference_levels[called, at]),
        float(rule.equality_levels[at]),
        tuple(Judged(name, of.value, of.p, calls[name]) for name, of in known_estimates.items()),
    )
    tell(_in_words(look))
    return replace(looks, looks=(*looks.looks, look)), lacking


def _seen(names: Sequence[str], estimates: Mapping[str, Estimate]) -> Seen:
    """The estimates that there are, in the order of the names."""
    rows = [
        (of.value, of.between, of.shared, of.known_by)
        if (of := estimates.get(name)) is not None
        else (np.nan,) * 4
        for name in names
    ]
    return Seen(*np.array(rows, dtype=np.float64).T)


def _in_words(look: Look) -> str:
    """As `look at 3 seeds: focal worse, asymmetric open`."""
    calls = ", ".join(f"{judged.effect} {judged.call}" for judged in look.judged)
    return f"look at {counted(look.seeds, 'seed')}: {calls}"
