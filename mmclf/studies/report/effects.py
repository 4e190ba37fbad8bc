"""The effects that a study asks for, by its runs' scores."""

from __future__ import annotations

from dataclasses import dataclass

from mmclf.studies.definition import Definition
from mmclf.studies.report.contrasts import common_seeds, compared, contrast
from mmclf.studies.report.results import EffectResult, Ends
from mmclf.studies.report.scores import Scores
from mmclf.studies.statistics.verdicts import Difference


@dataclass(frozen=True)
class AskedEffects:
    """What a study asks for: its effects, and where they add up what they add up to.

    `whole`: the gain, if it is compared with its parts, which is so from the baseline alone.
    """

    effects: tuple[EffectResult, ...]
    whole: Difference | None = None
    ends: Ends | None = None


def asked_effects(definition: Definition, scores: Scores) -> AskedEffects:
    """What the study asks for.

    Effects that add up are all of the seeds that every one of their arms has: parts of other seeds
    than the whole would not make it up. Arms that no seed has are left out of this, with the
    effects that need them.
    """
    asked = [(effect.weights, effect.draws) for effect in definition.effects]
    seeds, ends, has_whole = definition.seeds, None, False
    if definition.gain is not None:
        first, last = (arm.name for arm in definition.gain)
        has_whole = first == definition.baseline
        if has_whole:
            asked.append(({last: 1.0, first: -1.0}, ()))
        needed = {name for weights, _ in asked for name in weights} | {first, last}
        seeds = common_seeds(
            definition, scores, [arm for arm in needed if common_seeds(definition, scores, [arm])]
        )
        start, end = (contrast(definition, scores, {of: 1.0}, seeds=seeds) for of in (first, last))
        ends = None if start is None or end is None else Ends(start, end)
    estimates = [contrast(definition, scores, *of, seeds=seeds) for of in asked]
    differences = compared(definition, estimates, len(asked), definition.deciding.metric.sign)
    effects = tuple(
        EffectResult(effect.name, effect.weights, difference)
        for effect, difference in zip(definition.effects, differences, strict=False)
    )
    return AskedEffects(effects, differences[-1] if has_whole else None, ends)
