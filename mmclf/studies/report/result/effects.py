"""The effects that a study asks for, by its runs' scores."""

from __future__ import annotations

from dataclasses import dataclass

from mmclf.studies.definition import Definition
from mmclf.studies.looks import Looks
from mmclf.studies.report.result.contrasts import common_seeds, compared, contrast
from mmclf.studies.report.result.scores import Scores
from mmclf.studies.report.result.stopped import called
from mmclf.studies.report.result.study_result import EffectResult, Ends
from mmclf.studies.statistics.verdicts import Difference


@dataclass(frozen=True)
class AskedEffects:
    """What a study asks for: its effects, and where they add up what they add up to.

    `whole`: the gain, if it is compared with its parts, which is so from the baseline alone.
    """

    effects: tuple[EffectResult, ...]
    whole: Difference | None = None
    ends: Ends | None = None


def asked_effects(
    definition: Definition, scores: Scores, looks: Looks | None = None
) -> AskedEffects:
    """What the study asks for, and what `looks` have called it, if there are any.

    Effects that add up are all of the seeds that every one of their arms has: parts of other seeds
    than the whole would not make it up. Arms that no seed has are left out of this, with the
    effects that need them.
    """
    asked, seeds, ends = definition.compared, definition.seeds, None
    if definition.gain is not None:
        first, last = (arm.name for arm in definition.gain)
        needed = {name for effect in asked for name in effect.weights} | {first, last}
        seeds = common_seeds(
            definition, scores, [arm for arm in needed if common_seeds(definition, scores, [arm])]
        )
        start, end = (contrast(definition, scores, {of: 1.0}, seeds=seeds) for of in (first, last))
        ends = None if start is None or end is None else Ends(start, end)
    estimates = [contrast(definition, scores, of.weights, of.draws, seeds=seeds) for of in asked]
    compared_effects = compared(definition, estimates, len(asked), definition.deciding.metric.sign)
    differences = [
        called(of, looks, effect.name) for effect, of in zip(asked, compared_effects, strict=True)
    ]
    effects = tuple(
        EffectResult(effect.name, effect.weights, difference)
        for effect, difference in zip(definition.effects, differences, strict=False)
    )
    has_whole = len(asked) > len(effects)
    return AskedEffects(effects, differences[-1] if has_whole else None, ends)
