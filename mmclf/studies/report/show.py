"""A study's result for a person at a terminal, or as plain text off one."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

from mmclf.messages import printable
from mmclf.studies.report.answer import answer
from mmclf.studies.report.results import StudyResult
from mmclf.studies.report.study_tables import FORMATS, SPARE, in_form, narrow, tables
from mmclf.studies.report.tables import print_rich, render


def show(result: StudyResult, console: Console, form: str | None = None) -> None:
    """Print question, answer, notes and tables; with a `form` the tables alone, in that form.

    As CSV it is the table of the arms alone: a second table would be read as rows of the first.
    """
    shown = tables(result)
    if form is not None and form != "text":
        chosen = [shown["results"]] if form == "csv" else list(shown.values())
        texts = [render(in_form(table, form), form, FORMATS) for table in chosen]
        sys.stdout.write("\n".join(texts))
        return
    definition = result.definition
    heading = [f"{definition.name}: {definition.question}", answer(result)]
    heading = [printable(line) for line in (*heading, *(f"note: {n}" for n in result.notes))]
    if form is None and console.is_terminal:
        for line in heading:
            console.print(Text(line))
        for name, table in shown.items():
            print_rich(narrow(table), console, name.capitalize(), FORMATS, spare=SPARE)
        return
    sys.stdout.write("\n".join([*heading, ""]) + "\n")
    sys.stdout.write("\n".join(render(table, "text", FORMATS) for table in shown.values()))
