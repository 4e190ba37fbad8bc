"""A study's report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources

from mmclf.plots.words import capital, counted
from mmclf.studies.report.answer import answer
from mmclf.studies.report.details import Details
from mmclf.studies.report.page.comparisons import (
    cost_chart,
    forest_chart,
    waterfall_chart,
)
from mmclf.studies.report.page.main_arms import (
    label_chart,
    learning_chart,
    shares_chart,
    threshold_chart,
)
from mmclf.studies.report.page.method import method, overrides_table
from mmclf.studies.report.page.parts import escaped, folded, section
from mmclf.studies.report.page.tables import arms_table, effects_table, runs_table
from mmclf.studies.report.results import StudyResult

# Nothing is loaded and nothing runs, whatever a name in it may hold.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(result: StudyResult, details: Details | None) -> str:
    """The report of a study as an HTML document; `details` None leaves out what they are of."""
    definition = result.definition
    sections = [one for one in _sections(result, details) if one]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            _head(definition.name),
            "<body>",
            _header(result),
            "<main>",
            _result(result),
            *sections,
            "</main>",
            _footer(result),
            "</body>",
            "</html>",
            "",
        ]
    )


def _head(name: str) -> str:
    style = (
        resources.files("mmclf.studies.report.page")
        .joinpath("page.css")
        .read_text(encoding="utf-8")
    )
    return "\n".join(
        [
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{escaped(name)}: study report</title>",
            f"<style>\n{style}</style>",
            "</head>",
        ]
    )


def _header(result: StudyResult) -> str:
    definition = result.definition
    runs = sum(len(arm.runs) for arm in result.arms)
    started = datetime.fromtimestamp(result.parent.started_ms / 1000, tz=UTC)
    facts = [
        counted(len(result.arms), "arm"),
        counted(len(definition.seeds), "seed"),
        f"{counted(runs, 'finished run')}",
        f'<time datetime="{started:%Y-%m-%d}">{started:%Y-%m-%d}</time>',
    ]
    return (
        f'<header>\n<p class="kind">Study report</p>\n<h1>{escaped(definition.name)}</h1>\n'
        f'<p class="question">{escaped(definition.question)}</p>\n'
        f'<p class="facts">{" · ".join(facts)}</p>\n</header>'
    )


def _result(result: StudyResult) -> str:
    told = (
        '<section id="answer" class="answer">\n<h2>Answer</h2>\n'
        f"<p>{escaped(answer(result))}</p>\n</section>"
    )
    if not result.notes:
        return told
    notes = "\n".join(f"<li>{escaped(_sentence(note))}</li>" for note in result.notes)
    return (
        f'{told}\n<aside class="notes" aria-labelledby="notes">\n'
        f'<h2 id="notes">Before comparing</h2>\n<ul>\n{notes}\n</ul>\n</aside>'
    )


def _sentence(note: str) -> str:
    whole = capital(note)
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


def _sections(result: StudyResult, details: Details | None) -> list[str]:
    runs_url, sizes = (None, {}) if details is None else (details.runs_url, details.sizes)
    arms = section("arms", "Arms", [arms_table(result, runs_url), forest_chart(result)])
    effects = ""
    if result.definition.kind.adds_up:
        parts = [waterfall_chart(result), effects_table(result)]
        effects = section("effects", "What each change accounts for", parts)
    return [
        effects,
        arms,
        section("time", "Running time", [cost_chart(result)]),
        *([] if details is None else _detail_sections(result, details)),
        _runs(result, runs_url),
        section("method", "How it was made", [method(result, sizes), overrides_table(result)]),
    ]


def _detail_sections(result: StudyResult, details: Details) -> list[str]:
    return [
        section("labels", "Labels", [label_chart(result, details)]),
        section("thresholds", "Thresholds", [threshold_chart(result, details)]),
        section("learning", "Learning", [learning_chart(result, details)]),
        section("split", "Data", [shares_chart(details)]),
    ]


def _runs(result: StudyResult, runs_url: str | None) -> str:
    count = sum(len(arm.runs) + len(arm.failed) for arm in result.arms)
    if count == 0:
        return ""
    told = folded(f"All {counted(count, 'run')}", runs_table(result, runs_url))
    return section("runs", "Runs", [told])


def _footer(result: StudyResult) -> str:
    parent = result.parent
    return (
        f"<footer>\n<p>Written by mmclf from the tracked runs below <code>{escaped(parent.id)}"
        "</code>; every number is a tracked metric or computed from tracked predictions.</p>\n"
        "</footer>"
    )
