"""A study's answer in words: which differences are shown, how large, and which are not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmclf.plots.words import (
    capital,
    counted,
    interval,
    listed,
    points,
    quoted,
    score,
)
from mmclf.studies.report.results import ArmResult, Difference, EffectResult, StudyResult
from mmclf.studies.statistics.estimates import Estimate

MOST = 8  # names in a list, before it counts the others
ONE_SEED = "only the test set's share of the uncertainty is known, not what another seed would give"

Known = Sequence[tuple[str, Difference]]


def answer(result: StudyResult) -> str:
    """The answer to the study's question, in a few sentences of plain text.

    A difference is named with its size only if it is shown (`Difference.is_shown`).
    """
    best, baseline = result.best, result.baseline
    if best is None:
        return "No run has finished yet: there is no answer."
    if len(result.arms) == 1:
        return " ".join(_alone(result, best))
    if baseline.score is None:
        return (
            f"The baseline {quoted(baseline.name)} has no finished run to compare with. "
            f"Of the others, {_scored(best)} has the highest mean."
        )
    adds_up = result.definition.kind.adds_up
    return " ".join(_gain(result) if adds_up else _differences(result))


def ends(result: StudyResult) -> tuple[ArmResult, ArmResult]:
    """The arms that a ladder or an attribution leads from and to."""
    return result.arms[0], result.arms[-1]


def shown_gain(result: StudyResult) -> float:
    """What the effects of a ladder or an attribution add up to; nan unless a gain is shown."""
    start, end = ends(result)
    if result.definition.baseline != start.name or end.difference is None:
        return math.nan
    whole = sum(map(_value, result.effects))
    return whole if end.difference.is_shown and whole > 0 else math.nan


def _alone(result: StudyResult, arm: ArmResult) -> list[str]:
    metric = result.definition.deciding.words
    parts = [f"The study has one arm, {_scored(arm)}, and nothing to compare its {metric} with."]
    if arm.score is None:
        return parts
    if not math.isnan(arm.score.low):
        parts.append(f"The 95 % interval is {score(arm.score.low)} to {score(arm.score.high)}.")
    return [*parts, *_seeds([(arm.name, arm.score)])]


def _differences(result: StudyResult) -> list[str]:
    others = [arm for arm in result.arms if arm.name != result.definition.baseline]
    known = [(arm.name, arm.difference) for arm in others if arm.difference is not None]
    shown = [pair for pair in known if pair[1].is_shown]
    ranked = sorted(shown, key=lambda pair: -abs(pair[1].estimate.value))
    better = [pair for pair in ranked if pair[1].estimate.value > 0]
    worse = [pair for pair in ranked if pair[1].estimate.value < 0]
    baseline = f"the baseline {_scored(result.baseline)}"
    metric = result.definition.deciding.words
    parts = []
    if better:
        parts.append(f"In {metric}, {_compared(better, 'better', baseline)}.")
    elif known:
        parts.append(f"No arm is shown to be better than {baseline} in {metric}.")
    if worse:
        parts.append(f"{_compared(worse, 'worse', 'it' if better else 'the baseline')}.")
    parts += _not_shown(known, "difference")
    parts += _not_known([arm.name for arm in others if arm.difference is None], "compared")
    return [*parts, *_seeds([(name, difference.estimate) for name, difference in known])]


def _compared(pairs: Known, word: str, baseline: str) -> str:
    """As `“a” is better than X by 1.20 F1 points (95 % interval 0.40 to 2.00) and “b” by ...`."""
    told = []
    for place, (name, difference) in enumerate(pairs):
        found = difference.estimate
        low, high = sorted((abs(found.low), abs(found.high)))
        size, reach = points(abs(found.value), signed=False), interval(low, high, signed=False)
        verb = f"is {word} than {baseline} by" if place == 0 else "by"
        unit = " F1 points (95 % interval " if place == 0 else " ("
        told.append(f"{quoted(name)} {verb} {size}{unit}{reach})")
    return listed(told, MOST)


def _gain(result: StudyResult) -> list[str]:
    start, end = ends(result)
    known = [(one.name, one.difference) for one in result.effects if one.difference is not None]
    parts = [_from_to(result, start, end), *_accounts(result)]
    parts += _not_shown(known, "effect")
    parts += _not_known([one.name for one in result.effects if not one.difference], "estimated")
    return [*parts, *_seeds([(name, difference.estimate) for name, difference in known])]


def _from_to(result: StudyResult, start: ArmResult, end: ArmResult) -> str:
    metric = result.definition.deciding.words
    way = f"from {_scored(start)} to {_scored(end)}"
    if end.score is None or start.score is None:
        missing = quoted((end if end.score is None else start).name)
        reason = f"{missing} has no finished run on the same samples"
        return f"What is gained in {metric} {way} is not known: {reason}."
    whole = end.difference if result.definition.baseline == start.name else None
    if whole is None:
        change = points(end.score.value - start.score.value)
        return f"In {metric}, the difference {way} is {change} F1 points."
    reach = f"95 % interval {interval(whole.estimate.low, whole.estimate.high)}"
    if not whole.is_shown:
        size = points(whole.estimate.value)
        return f"In {metric}, no difference is shown {way}: {size} F1 points, {reach}."
    verb = "rises" if whole.estimate.value > 0 else "falls"
    size = points(abs(whole.estimate.value), signed=False)
    return f"{capital(metric)} {verb} {way}, by {size} F1 points ({reach})."


def _accounts(result: StudyResult) -> list[str]:
    """What each change accounts for whose part is shown, the largest first."""
    shown = [one for one in result.effects if one.difference and one.difference.is_shown]
    if not shown:
        return []
    whole = shown_gain(result)
    ranked = sorted(shown, key=lambda effect: -abs(_value(effect)))
    told = [
        f"{quoted(effect.name)} {'' if place else 'accounts '}for {_part(effect.difference, whole)}"
        for place, effect in enumerate(ranked)
        if effect.difference is not None
    ]
    return [f"Of this, {result.definition.kind.part}, {listed(told, MOST)}."]


def _part(difference: Difference, whole: float) -> str:
    found = difference.estimate
    share = "" if math.isnan(whole) else f"; {100 * found.value / whole:.0f} % of the gain"
    return f"{points(found.value)} ({interval(found.low, found.high)}{share})"


def _not_shown(known: Known, noun: str) -> list[str]:
    """What is said of differences that chance can make."""
    holding = [quoted(name) for name, found in known if found.estimate.holds_zero]
    corrected = [
        quoted(name)
        for name, found in known
        if not found.is_shown and not found.estimate.holds_zero
    ]
    parts = []
    if holding:
        whose = "its 95 % interval holds" if len(holding) == 1 else "their 95 % intervals hold"
        parts.append(f"No {noun} is shown for {listed(holding, MOST)}: {whose} 0.")
    if corrected:
        parts.append(
            f"For {listed(corrected, MOST)} the 95 % interval excludes 0, yet no {noun} is shown "
            f"once corrected for {counted(len(known), 'comparison')}."
        )
    return parts


def _not_known(names: Sequence[str], what: str) -> list[str]:
    told = listed([quoted(name) for name in names], MOST)
    reason = "for want of runs on the same seeds and test samples"
    return [f"Not {what}, {reason}: {told}."] if names else []


def _seeds(estimates: Sequence[tuple[str, Estimate]]) -> list[str]:
    single = [quoted(name) for name, found in estimates if found.seeds == 1]
    if not single:
        return []
    if len(single) == len(estimates):
        return [f"With one seed, {ONE_SEED}."]
    return [f"{listed(single, MOST)} can be judged on one seed alone: {ONE_SEED}."]


def _scored(arm: ArmResult) -> str:
    name = quoted(arm.name)
    return name if arm.score is None else f"{name} ({score(arm.score.value)})"


def _value(effect: EffectResult) -> float:
    return math.nan if effect.difference is None else effect.difference.estimate.value
