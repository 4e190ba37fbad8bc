"""What a chart calls an arm."""

from __future__ import annotations

from mmclf.studies.report.results import StudyResult


def short_name(result: StudyResult, name: str) -> str:
    """The levels alone of an arm of a grid, as its factors are the same for all; else its name."""
    if not result.definition.kind.named_by_levels:
        return name
    by_levels = {", ".join(arm.levels.values()): arm.name for arm in result.arms}
    return next((levels for levels, arm in by_levels.items() if arm == name), name)
