"""A study's answer in words: which arms are better, worse, equal or undecided, and by how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, get_args

from mmclf.plots.words import interval, listed, margin_words, points, quoted, score
from mmclf.studies.report.result.study_result import ArmResult, StudyResult
from mmclf.studies.statistics.power import what_decides
from mmclf.studies.statistics.verdicts import Difference, Verdict

MOST = 8  # arms of one verdict that are said, before the others are counted
LACKING = "for want of runs on the same seeds and test samples"

Named = tuple[str, Difference]


class Decider(Protocol):
    """What would decide an undecided difference."""

    def words(self) -> str:
        """As `12 seeds would decide it`."""


Decides = Callable[[Difference], Decider]


@dataclass(frozen=True)
class Answer:
    """An answer in plain text: its first sentences, and a bullet for each arm or change."""

    headline: str
    bullets: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The answer on lines of its own, which is Markdown too."""
        return "\n".join([self.headline, *(f"- {bullet}" for bullet in self.bullets)])


def answer(result: StudyResult, decides: Decides = what_decides) -> Answer:
    """The answer to the study's question.

    The size of a difference is said only where it is shown (`Difference.is_shown`); of the others,
    where it may lie. `decides` tells what would decide an undecided one.
    """
    best, baseline = result.best, result.baseline
    if best is None:
        return Answer("No run has finished yet: there is no answer.")
    if len(result.arms) == 1:
        return _alone(result, best)
    if baseline.score is None:
        return Answer(
            f"The baseline {quoted(baseline.name)} has no finished run to compare with. Of the "
            f"others, {_scored(best)} has the best mean."
        )
    say = Saying(result, decides)
    return _gain(say) if result.definition.kind.adds_up else _differences(say)


def shown_gain(result: StudyResult) -> float:
    """What the effects add up to; nan unless from the baseline a gain is shown."""
    start, end = result.arms[0], result.arms[-1]
    if start is not result.baseline or end.difference is None or not end.difference.is_shown:
        return math.nan
    values = [
        math.nan if effect.difference is None else effect.difference.estimate.value
        for effect in result.effects
    ]
    whole = sum(values)
    return whole if result.definition.deciding.metric.sign * whole > 0 else math.nan


@dataclass(frozen=True)
class Saying:
    """How differences of a study are said."""

    result: StudyResult
    decides: Decides

    def difference(self, of: Difference) -> str:
        """A difference behind the name of what differs."""
        value, unit = of.estimate.value, self.result.definition.unit
        if of.verdict == "equal":
            share, half = (95, of.reach) if self._is_stopped else (90, of.equal_reach)
            reach = interval(value - half, value + half)
            return f"is equal within {margin_words(of.margin)} ({share} % interval {reach})"
        if of.verdict == "undecided":
            reach = interval(of.low, of.high)
            where = "" if math.isnan(of.low) else f" ({reach} {unit})"
            return f"is undecided{where}; {self.decides(of).words()}"
        low, high = sorted(math.copysign(1.0, value) * end for end in (of.low, of.high))
        size = f"{points(abs(value), signed=False)} {unit}"
        # That of a verdict by looks may hold 0.
        return f"{self._verb(of.verdict)} {size} ({interval(low, high, signed=low < 0.0)})"

    @property
    def _is_stopped(self) -> bool:
        return self.result.looks is not None

    def _verb(self, verdict: Verdict) -> str:
        if self.result.definition.deciding.metric.higher_is_better:
            return "gains" if verdict == "better" else "loses"
        return f"is {verdict} by"


def _alone(result: StudyResult, arm: ArmResult) -> Answer:
    words = result.definition.deciding.words
    sentences = f"The study has one arm, {_scored(arm)}, and nothing to compare its {words} with."
    if arm.score is not None and not math.isnan(arm.score.low):
        sentences += f" The 95 % interval is {score(arm.score.low)} to {score(arm.score.high)}."
    return Answer(sentences)


def _differences(say: Saying) -> Answer:
    result = say.result
    others = [arm for arm in result.arms if arm is not result.baseline]
    compared = [(arm.name, arm.difference) for arm in others if arm.difference is not None]
    lacking = [arm.name for arm in others if arm.difference is None]
    by_verdict = _by_verdict(compared)
    counts = [f"{len(of)} {verdict}" for verdict, of in by_verdict.items()]
    counts += [f"{len(lacking)} not compared"] if lacking else []
    head = (
        f"Compared with the baseline {_scored(result.baseline)} in "
        f"{result.definition.deciding.words}: {', '.join(counts)}.{_level(result, compared)}"
    )
    bullets = []
    for verdict, of in by_verdict.items():
        bullets += [
            f"{quoted(name)} {say.difference(difference)}{_after_choice(result, name)}"
            for name, difference in of[:MOST]
        ]
        if len(of) > MOST:
            bullets.append(f"{len(of) - MOST} more are {verdict}: the table of arms has them")
    return Answer(head, (*bullets, *_lacking(lacking, "compared"), *_shown_effects(say)))


def choice_words(result: StudyResult) -> str:
    """What has been allowed for behind the size of the best arm's difference."""
    count = sum(arm.score is not None for arm in result.arms)
    return f"after allowing for having chosen the best of {count}"


def _after_choice(result: StudyResult, name: str) -> str:
    """What is left of the best arm's difference where it is shown."""
    arm = next(arm for arm in result.arms if arm.name == name)
    left = result.after_choice(arm)
    if math.isnan(left) or arm.difference is None or not arm.difference.is_shown:
        return ""
    return f", about {points(abs(left), signed=False)} {choice_words(result)}"


def _shown_effects(say: Saying) -> list[str]:
    """The main effects and interactions that are shown, where a design asks for them."""
    if not say.result.definition.asks_effects:
        return []
    effects = [(of.name, of.difference) for of in say.result.effects if of.difference is not None]
    shown = [named for named in effects if named[1].is_shown]
    bullets = [f"the effect {quoted(name)} {say.difference(of)}" for name, of in shown[:MOST]]
    others = len(effects) - len(bullets)
    if others:
        what = "main effects and interactions"
        bullets.append(f"{others} {'more ' if bullets else ''}{what} are in the table of effects")
    return bullets


def _by_verdict(differences: Sequence[Named]) -> dict[Verdict, list[Named]]:
    """The differences of each verdict that there are any of, the largest first."""
    ordered = sorted(differences, key=lambda named: -abs(named[1].estimate.value))
    every = {
        verdict: [named for named in ordered if named[1].verdict == verdict]
        for verdict in get_args(Verdict)
    }
    return {verdict: of for verdict, of in every.items() if of}


def _level(result: StudyResult, differences: Sequence[Named]) -> str:
    """What holds of the intervals: for all comparisons at once, or whenever each was stopped."""
    if result.looks is not None and differences:
        return " Intervals are of 95 % after stopping."
    comparisons = max((of.comparisons for _, of in differences), default=0)
    if comparisons == 0:
        return ""
    whole = "" if comparisons == 1 else f", and hold for all {comparisons} comparisons at once"
    return f" Intervals are of 95 %{whole}."


def _gain(say: Saying) -> Answer:
    """What is gained from the first arm to the last, and what each change accounts for."""
    result = say.result
    effects = [(of.name, of.difference) for of in result.effects if of.difference is not None]
    lacking = [of.name for of in result.effects if of.difference is None]
    head = _from_to(say)
    if effects:
        head += f" What accounts for it, {result.definition.kind.part}:"
    if not result.definition.kind.in_order:
        effects = [named for of in _by_verdict(effects).values() for named in of]
    bullets = [f"{quoted(name)} {say.difference(of)}{_share(result, of)}" for name, of in effects]
    return Answer(head, (*bullets, *_lacking(lacking, "estimated")))


def _from_to(say: Saying) -> str:
    result = say.result
    start, end = result.arms[0], result.arms[-1]
    words, unit = result.definition.deciding.words, result.definition.unit
    if result.ends is None:
        way = f"from {quoted(start.name)} to {quoted(end.name)}"
        missing = [quoted(arm.name) for arm in (start, end) if arm.score is None]
        reason = f"{listed(missing)} has no finished run" if missing else "they share no seed"
        return f"What is gained in {words} {way} is not known: {reason} on the same samples."
    first, last = result.ends.start.value, result.ends.end.value
    way = f"From {quoted(start.name)} ({score(first)}) to {quoted(end.name)} ({score(last)})"
    if start is not result.baseline or end.difference is None:
        return f"{way}, {words} changes by {points(last - first)} {unit}."
    sentence = f"{way}, {words} {say.difference(end.difference)}."
    return f"{sentence}{_level(result, [(end.name, end.difference)])}"


def _share(result: StudyResult, of: Difference) -> str:
    """How much of a gain that is shown a shown effect is."""
    whole = shown_gain(result)
    if math.isnan(whole) or not of.is_shown:
        return ""
    return f", {100 * of.estimate.value / whole:.0f} % of the gain"


def _lacking(names: Sequence[str], what: str) -> list[str]:
    """That there is nothing to say of some, for want of runs."""
    quotes = listed([quoted(name) for name in names], MOST)
    are = "is" if len(names) == 1 else "are"
    return [f"{quotes} {are} not {what}, {LACKING}"] if names else []


def _scored(arm: ArmResult) -> str:
    name = quoted(arm.name)
    return name if arm.score is None else f"{name} ({score(arm.score.value)})"
