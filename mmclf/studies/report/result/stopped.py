"""What a report says of looks: when and why each effect stopped, and what is to be known of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mmclf.plots.words import counted, listed
from mmclf.studies.definition import Definition
from mmclf.studies.looks import LookPlan, Looks, Why
from mmclf.studies.statistics.stopping import StoppedDifference
from mmclf.studies.statistics.verdicts import Difference

WHY: Mapping[Why, str] = {
    "decided": "decided",
    "futile": "more seeds will not help",
    "last look": "last look",
    "goes on": "goes on",
    "not looked at": "no look yet",
}


def stopped(looks: Looks, effect: str) -> str:
    """Why an effect got so many seeds, as `decided at look 2, 5 seeds`."""
    seeds, why = looks.last_look(effect), WHY[looks.why(effect)]
    if not seeds:
        return why
    if seeds not in looks.plan.looks:
        return f"{why} at {counted(seeds, 'seed')}"
    return f"{why} at look {looks.plan.looks.index(seeds) + 1}, {counted(seeds, 'seed')}"


def effect_of(definition: Definition, arm: str) -> str | None:
    """The effect that an arm's difference to the baseline is; None if it is none of them.

    Arms of an attribution may be called as its changes are, and be no effect.
    """
    own = {arm: 1.0, definition.baseline: -1.0}
    return next((of.name for of in definition.compared if dict(of.weights) == own), None)


def given_seeds(definition: Definition, looks: Looks | None) -> dict[str, tuple[int, ...]]:
    """The seeds of each arm: all, or where there are looks those that it has been given."""
    return {
        arm.name: definition.seeds if looks is None else looks.seeds(arm.name, definition.seeds)
        for arm in definition.arms
    }


def called(
    difference: Difference | None, looks: Looks | None, effect: str | None
) -> Difference | None:
    """A difference with what looks have called its effect, where there are looks.

    `effect` None: they are at others, and call it nothing.
    """
    if difference is None or looks is None:
        return difference
    of, call = difference, "open" if effect is None else looks.call(effect)
    return StoppedDifference(of.estimate, of.comparisons, of.margin, of.sign, call)


def look_notes(definition: Definition, looks: Looks | None) -> Iterator[str]:
    """How a study stops that does when decided, and what of it is exploratory."""
    if looks is None:
        return
    if definition.plan is None:
        yield (
            f"the study was begun with looks after {_seeds(looks.plan)} seeds, to stop when "
            "decided: the verdicts here are of all seeds that there are now, and exploratory"
        )
        return
    ran, most = sum(looks.given.values()), len(definition.arms) * len(definition.seeds)
    yield (
        f"the study stops when decided: looks after {_seeds(looks.plan)} seeds, planned before the "
        f"first; {ran} of {most} runs were to be made, {most - ran} fewer than with all seeds"
    )
    yield (
        "the intervals of differences are 95 % after stopping; the verdicts are those of the "
        "looks, corrected for all comparisons and looks, and need not agree with whether an "
        "interval holds 0"
    )
    if looks.runs_before:
        yield (
            f"{counted(looks.runs_before, 'run')} had finished before the looks were planned: if "
            "their results were known by then, the verdicts are exploratory"
        )
    for earlier in looks.earlier:
        changes = listed([*_changes(earlier.plan, looks.plan)])
        if changes:
            yield (
                f"the plan was changed after a look ({changes}): what was called after it is "
                "exploratory"
            )


def _seeds(plan: LookPlan) -> str:
    return ", ".join(map(str, plan.looks))


def _changes(before: LookPlan, after: LookPlan) -> Iterator[str]:
    """As `max_seeds 10 to 20`."""
    pairs = {
        "max_seeds": (before.looks[-1], after.looks[-1]),
        "metric": (before.metric, after.metric),
        "baseline": (before.baseline, after.baseline),
        "margin": (before.margin, after.margin),
    }
    for name, (old, new) in pairs.items():
        if old != new:
            yield f"{name} {old} to {new}"
