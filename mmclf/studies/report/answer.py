"""A study's answer in words: which differences are shown, how large, and which are not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmclf.plots.words import capital, counted, interval, listed, points, quoted, score
from mmclf.studies.report.results import ArmResult, Difference, StudyResult
from mmclf.studies.statistics.estimates import Estimate

MOST = 8  # names in a list, before it counts the others
ONE_SEED = "only the test set's share of the uncertainty is known, not what another seed would give"

Named = tuple[str, Difference]


def answer(result: StudyResult) -> str:
    """The answer to the study's question, in a few sentences of plain text.

    A difference is named with its size only if it is shown (`Difference.is_shown`).
    """
    best, baseline = result.best, result.baseline
    if best is None:
        return "No run has finished yet: there is no answer."
    if len(result.arms) == 1:
        sentences = _alone(result, best)
    elif baseline.score is None:
        sentences = [
            f"The baseline {quoted(baseline.name)} has no finished run to compare with.",
            f"Of the others, {_scored(best)} has the best mean.",
        ]
    elif result.definition.kind.adds_up:
        sentences = _gain(result)
    else:
        sentences = _differences(result)
    return " ".join(sentences)


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


def _alone(result: StudyResult, arm: ArmResult) -> list[str]:
    words = result.definition.deciding.words
    sentences = [f"The study has one arm, {_scored(arm)}, and nothing to compare its {words} with."]
    if arm.score is None:
        return sentences
    if not math.isnan(arm.score.low):
        reach = f"{score(arm.score.low)} to {score(arm.score.high)}"
        sentences.append(f"The 95 % interval is {reach}.")
    return [*sentences, *_one_seed([(arm.name, arm.score)])]


def _differences(result: StudyResult) -> list[str]:
    definition, baseline = result.definition, f"the baseline {_scored(result.baseline)}"
    others = [arm for arm in result.arms if arm is not result.baseline]
    compared = [(arm.name, arm.difference) for arm in others if arm.difference is not None]
    lacking = [arm.name for arm in others if arm.difference is None]
    shown = sorted(
        [named for named in compared if named[1].is_shown],
        key=lambda named: -abs(named[1].estimate.value),
    )
    sign = definition.deciding.metric.sign
    better = [named for named in shown if sign * named[1].estimate.value > 0]
    worse = [named for named in shown if named not in better]
    sentences = []
    if better:
        sizes = _sizes(better, "better", baseline, definition.unit)
        sentences.append(f"In {definition.deciding.words}, {sizes}.")
    elif compared:
        words = definition.deciding.words
        sentences.append(f"No arm is shown to be better than {baseline} in {words}.")
    if worse:
        than = "it" if better else "the baseline"
        sentences.append(f"{_sizes(worse, 'worse', than, definition.unit)}.")
    sentences += _not_shown(compared, "difference") + _lacking(lacking, "compared")
    return [*sentences, *_one_seed([(name, of.estimate) for name, of in compared])]


def _sizes(shown: Sequence[Named], word: str, baseline: str, unit: str) -> str:
    """As `“a” is better than X by 1.20 F1 points (95 % interval 0.40 to 2.00) and “b” by ...`."""
    parts: list[str] = []
    for name, difference in shown:
        estimate = difference.estimate
        low, high = sorted((abs(estimate.low), abs(estimate.high)))
        size = points(abs(estimate.value), signed=False)
        reach = interval(low, high, signed=False)
        if not parts:
            start = f"{quoted(name)} is {word} than {baseline} by {size} {unit}"
            parts.append(f"{start} (95 % interval {reach})")
        else:
            parts.append(f"{quoted(name)} by {size} ({reach})")
    return listed(parts, MOST)


def _gain(result: StudyResult) -> list[str]:
    effects = [
        (effect.name, effect.difference)
        for effect in result.effects
        if effect.difference is not None
    ]
    lacking = [effect.name for effect in result.effects if effect.difference is None]
    return [
        _from_to(result, result.arms[0], result.arms[-1]),
        *_accounts(result, effects),
        *_not_shown(effects, "effect"),
        *_lacking(lacking, "estimated"),
        *_one_seed([(name, of.estimate) for name, of in effects]),
    ]


def _from_to(result: StudyResult, start: ArmResult, end: ArmResult) -> str:
    words, unit = result.definition.deciding.words, result.definition.unit
    way = f"from {_scored(start)} to {_scored(end)}"
    if end.score is None or start.score is None:
        missing = quoted((end if end.score is None else start).name)
        reason = f"{missing} has no finished run on the same samples"
        return f"What is gained in {words} {way} is not known: {reason}."
    if start is not result.baseline or end.difference is None:
        change = points(end.score.value - start.score.value)
        return f"In {words}, the difference {way} is {change} {unit}."
    value = end.difference.estimate.value
    reach = f"95 % interval {interval(end.difference.estimate.low, end.difference.estimate.high)}"
    if not end.difference.is_shown:
        return f"In {words}, no difference is shown {way}: {points(value)} {unit}, {reach}."
    verb = "rises" if value > 0 else "falls"
    return f"{capital(words)} {verb} {way}, by {points(abs(value), signed=False)} {unit} ({reach})."


def _accounts(result: StudyResult, effects: Sequence[Named]) -> list[str]:
    """What each change accounts for whose part is shown, the largest first."""
    shown = [named for named in effects if named[1].is_shown]
    if not shown:
        return []
    whole = shown_gain(result)
    parts: list[str] = []
    for name, difference in sorted(shown, key=lambda named: -abs(named[1].estimate.value)):
        of = difference.estimate
        share = "" if math.isnan(whole) else f"; {100 * of.value / whole:.0f} % of the gain"
        size = f"{points(of.value)} ({interval(of.low, of.high)}{share})"
        parts.append(f"{quoted(name)} {'' if parts else 'accounts '}for {size}")
    return [f"Of this, {result.definition.kind.part}, {listed(parts, MOST)}."]


def _not_shown(differences: Sequence[Named], noun: str) -> list[str]:
    """What is said of differences that chance can make."""
    holding = [quoted(name) for name, of in differences if of.estimate.holds_zero]
    corrected = [
        quoted(name) for name, of in differences if not of.is_shown and not of.estimate.holds_zero
    ]
    sentences = []
    if holding:
        whose = "its 95 % interval holds" if len(holding) == 1 else "their 95 % intervals hold"
        sentences.append(f"No {noun} is shown for {listed(holding, MOST)}: {whose} 0.")
    if corrected:
        sentences.append(
            f"For {listed(corrected, MOST)} the 95 % interval excludes 0, yet no {noun} is shown "
            f"once corrected for {counted(len(differences), 'comparison')}."
        )
    return sentences


def _lacking(names: Sequence[str], what: str) -> list[str]:
    quotes = listed([quoted(name) for name in names], MOST)
    reason = "for want of runs on the same seeds and test samples"
    return [f"Not {what}, {reason}: {quotes}."] if names else []


def _one_seed(estimates: Sequence[tuple[str, Estimate]]) -> list[str]:
    single = [quoted(name) for name, of in estimates if of.seeds == 1]
    if not single:
        return []
    if len(single) == len(estimates):
        return [f"With one seed, {ONE_SEED}."]
    return [f"{listed(single, MOST)} can be judged on one seed alone: {ONE_SEED}."]


def _scored(arm: ArmResult) -> str:
    name = quoted(arm.name)
    return name if arm.score is None else f"{name} ({score(arm.score.value)})"
