"""How a study was made, as its page says it: design, seeds, hardware, versions, the statistics."""

from __future__ import annotations

from collections.abc import Sequence

from mmclf.report.findings import StudyFindings
from mmclf.report.page.parts import Column, element, escaped, folded, row_head, table, text_cell
from mmclf.report.words import NO_VALUE, metric_words
from mmclf.tracking import TrackedRun

DESIGNS = {
    "grid": "grid: every combination of the factors' levels",
    "one_at_a_time": "one at a time: each factor's levels alone, the other factors as they were",
    "leave_one_out": "leave one out: all changes, and all but each",
    "add_one": "add one: no change, and each alone",
    "ladder": "ladder: one change after the other, in the given order",
    "attribution": "attribution: subsets of the changes, and each change's Shapley value",
}
STATISTICS = (
    "All arms share their seeds and test samples, so differences are taken between runs of one "
    "seed on the same samples; their uncertainty has two components, what differs between seeds "
    "and, by a bootstrap, what differs between draws of the test samples, added as in a mixed "
    "model of seeds and samples. Intervals and p are those of Student's t with Satterthwaite's "
    "degrees of freedom, p is corrected for the number of comparisons by Holm's method, and a "
    "difference is called shown if its 95 % interval excludes 0 and the corrected p is below 0.05."
)
FACTS = {
    "Run on": "mmclf.hardware",
    "Timed on": "mmclf.cold_hardware",
    "Versions": "mmclf.versions",
    "Commit": "mmclf.commit",
}


def method(findings: StudyFindings) -> str:
    """The list of what the study was made by, as HTML."""
    definition = findings.definition
    runs = [run for arm in findings.arms for run in (*arm.runs, *arm.failed)]
    facts = [
        ("Command", element("code", escaped(definition.command))),
        ("Design", escaped(DESIGNS.get(definition.design, definition.design))),
        (
            "Factors",
            _lines([f"{name}: {', '.join(of)}" for name, of in definition.factors.items()]),
        ),
        ("Seeds", escaped(", ".join(map(str, definition.seeds)))),
        ("Deciding metric", f"{element('code', escaped(definition.metric))}, {_metric(findings)}"),
        ("Data", f"digest {element('code', escaped(definition.data))}"),
        *((name, _lines(distinct(runs, tag))) for name, tag in FACTS.items()),
        ("Statistics", escaped(STATISTICS)),
    ]
    told = "\n".join(f"<dt>{escaped(name)}</dt><dd>{inner}</dd>" for name, inner in facts)
    return f'<dl class="method">\n{told}\n</dl>'


def _metric(findings: StudyFindings) -> str:
    return escaped(metric_words(findings.definition.metric))


def distinct(runs: Sequence[TrackedRun], tag: str) -> list[str]:
    """The values of a tag over runs, each once."""
    return list(dict.fromkeys(run.tags[tag] for run in runs if run.tags.get(tag)))


def _lines(values: Sequence[str]) -> str:
    return "<br>".join(map(escaped, values)) if values else "not tracked"


def overrides_table(findings: StudyFindings) -> str:
    """What each arm's configuration is, folded."""
    arms = findings.definition.arms
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
