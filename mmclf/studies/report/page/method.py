"""How a study was made: design, seeds, data, base, hardware, versions."""

from __future__ import annotations

from collections.abc import Mapping

from mmclf.config.components import COMPONENTS
from mmclf.plots.words import listed
from mmclf.studies.report.result.study_result import StudyResult, distinct

# Of the configuration, in the order of the data's way.
GROUPS = (
    *("experiment", "data", "split", "image", "augment"),
    *(group for group in COMPONENTS if group != "data"),
    "trainer",
)
FACTS = {
    "Run on": "mmclf.hardware",
    "Timed on": "mmclf.cold_hardware",
    "Versions": "mmclf.versions",
    "Commit": "mmclf.commit",
}


def conditions(result: StudyResult) -> dict[str, list[str]]:
    """Hardware, versions and commit of the runs, each with all that they are of."""
    runs = [run for arm in result.arms for run in (*arm.runs, *arm.failed)]
    return {name: distinct(runs, tag) for name, tag in FACTS.items()}


def data_words(sizes: Mapping[str, int]) -> str:
    """How many samples each part has, as the beginning of a sentence; empty if none is known."""
    if not sizes:
        return ""
    counts = listed([f"{size:,} {part}" for part, size in sizes.items()])
    return f"{counts} samples in the first run, "


def base_settings(result: StudyResult) -> str:
    """The baseline's level of each group, and what it overrides below them; empty without a run."""
    baseline = result.baseline
    if not baseline.runs:
        return ""
    tags = baseline.runs[0].tags
    levels = {group: tags.get(f"mmclf.{group}", "null") for group in GROUPS}
    chosen = [f"{group}={level}" for group, level in levels.items() if level != "null"]
    asked = next(arm for arm in result.definition.arms if arm.name == baseline.name).overrides
    below = [override for override in asked if "." in override.partition("=")[0]]
    return " ".join([*chosen, *below])
