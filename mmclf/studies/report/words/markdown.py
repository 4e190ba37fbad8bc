"""A study's result as Markdown: answer, notes, tables, and how the intervals were made."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.column_choice import chosen
from mmclf.studies.report.tables.rendering import render
from mmclf.studies.report.tables.study_tables import FORMATS, in_form, tables
from mmclf.studies.report.words.answer import answer
from mmclf.studies.report.words.method_words import method_paragraph

MARKUP = re.compile(r"([\\\[\]*`<]|(?<!\w)_|_(?!\w))")


def markdown(result: StudyResult, columns: Sequence[str] | None = None) -> str:
    """The document; names of arms stand in it as they are. `columns`: of tables, by short names."""
    reply = answer(result)
    metric, unit = result.definition.metric, result.definition.unit
    parts = [f"# {as_text(result.definition.question)}", as_text(reply.headline)]
    parts += [bulleted(reply.bullets)] if reply.bullets else []
    parts += [f"Before comparing:\n\n{bulleted(result.notes)}"] if result.notes else []
    for name, table in tables(result).items():
        some = chosen(table, columns, metric)
        rendered = render(in_form(some, "md", unit), "md", FORMATS).strip()
        parts.append(f"## {'Arms' if name == 'results' else name.capitalize()}\n\n{rendered}")
    parts.append(f"## Method\n\n{as_text(method_paragraph(result))}")
    return "\n\n".join(parts) + "\n"


def as_text(words: str) -> str:
    """Words on one line of Markdown, in which nothing is markup."""
    return MARKUP.sub(r"\\\1", " ".join(words.split()))


def bulleted(lines: tuple[str, ...]) -> str:
    """A list of lines, in which nothing is markup."""
    return "\n".join(f"- {as_text(line)}" for line in lines)
