"""How a study was made, as its page says it: design, seeds, hardware, versions, the statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmclf.plots.words import NO_VALUE, listed
from mmclf.storage.tracking import TrackedRun
from mmclf.studies.report.collect import RESAMPLES
from mmclf.studies.report.page.parts import (
    Column,
    element,
    escaped,
    folded,
    row_head,
    table,
    text_cell,
)
from mmclf.studies.report.results import StudyResult

STATISTICS = (
    "All arms share their seeds and test samples, so differences are taken between runs of one "
    "seed on the same samples; their uncertainty has two components, what differs between seeds "
    f"and, by a bootstrap of {RESAMPLES:,} resamples, what differs between draws of the test "
    "samples, added as in a mixed model of seeds and samples. Intervals and p are those of "
    "Student's t with Satterthwaite's degrees of freedom, which the seeds' part enters at the "
    "upper end of its one-sided 70 % interval, as the variance between few seeds is often found "
    "far too small. p is corrected for the number of comparisons by Holm's method, and a "
    "difference is called shown if its 95 % interval excludes 0 and the corrected p is below 0.05."
)
# Of the configuration, in the order of the data's way.
GROUPS = (
    *("experiment", "data", "split", "image", "augment", "vision", "text", "fusion"),
    *("loss", "threshold", "optimizer", "scheduler", "trainer"),
)
FACTS = {
    "Run on": "mmclf.hardware",
    "Timed on": "mmclf.cold_hardware",
    "Versions": "mmclf.versions",
    "Commit": "mmclf.commit",
}


def method(result: StudyResult, sizes: Mapping[str, int]) -> str:
    """The list of what the study was made by, as HTML; `sizes` as in the study's details."""
    definition = result.definition
    runs = [run for arm in result.arms for run in (*arm.runs, *arm.failed)]
    facts = [
        ("Command", element("code", escaped(definition.command))),
        ("Design", escaped(definition.kind.words)),
        (
            "Factors",
            _lines([f"{name}: {', '.join(of)}" for name, of in definition.factors.items()]),
        ),
        ("Seeds", escaped(", ".join(map(str, definition.seeds)))),
        ("Deciding metric", f"{element('code', escaped(definition.metric))}, {_metric(result)}"),
        ("Data", f"{escaped(data_words(sizes))}digest {element('code', escaped(definition.data))}"),
        ("Base", _base(result)),
        *((name, _lines(distinct(runs, tag))) for name, tag in FACTS.items()),
        ("Statistics", escaped(STATISTICS)),
    ]
    told = "\n".join(f"<dt>{escaped(name)}</dt><dd>{inner}</dd>" for name, inner in facts)
    return f'<dl class="method">\n{told}\n</dl>'


def data_words(sizes: Mapping[str, int]) -> str:
    """How many samples each part has, as the beginning of a sentence; empty if none is known."""
    if not sizes:
        return ""
    told = listed([f"{size:,} {part}" for part, size in sizes.items()])
    return f"{told} samples in the first run, "


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


def _base(result: StudyResult) -> str:
    told = base_settings(result)
    name = escaped(result.baseline.name)
    return f"{name}: {element('code', escaped(told))}" if told else f"{name}: not tracked"


def _metric(result: StudyResult) -> str:
    return escaped(result.definition.deciding.words)


def distinct(runs: Sequence[TrackedRun], tag: str) -> list[str]:
    """The values of a tag over runs, each once."""
    return list(dict.fromkeys(run.tags[tag] for run in runs if run.tags.get(tag)))


def _lines(values: Sequence[str]) -> str:
    return "<br>".join(map(escaped, values)) if values else "not tracked"


def overrides_table(result: StudyResult) -> str:
    """What each arm's configuration is, folded."""
    arms = result.definition.arms
    rows = [
        [
            row_head(escaped(arm.name)),
            text_cell(
                element("code", escaped(" ".join(arm.overrides))) if arm.overrides else NO_VALUE
            ),
        ]
        for arm in arms
    ]
    columns = [Column("Arm", is_number=False), Column("Overrides", is_number=False)]
    caption = "The overrides that make each arm, beside those of the command."
    inner = table("overrides-table", caption, columns, rows)
    return folded("The overrides of each arm", inner)
