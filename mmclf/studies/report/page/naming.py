"""What a chart calls an arm."""

from __future__ import annotations

from mmclf.studies.report.results import StudyFindings


def short_name(findings: StudyFindings, name: str) -> str:
    """The levels alone of an arm of a grid, as its factors are the same for all; else its name."""
    if findings.definition.design != "grid":
        return name
    by_levels = {", ".join(arm.levels.values()): arm.name for arm in findings.arms}
    return next((levels for levels, arm in by_levels.items() if arm == name), name)
