"""A study's findings for a person at a terminal, or as plain text off one."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pandas as pd
from rich.console import Console
from rich.markup import escape

from mmclf.studies.report.answer import answer
from mmclf.studies.report.results import StudyResult
from mmclf.studies.report.study_table import in_form, tables
from mmclf.studies.report.table import print_rich, render


def show(result: StudyResult, console: Console, form: str | None = None) -> None:
    """Print question, answer, notes and tables; with a `form` the tables alone, in that form.

    As CSV it is the table of the arms alone: a second table would be read as rows of the first.
    """
    shown: Mapping[str, pd.DataFrame] = tables(result)
    if form is not None and form != "text":
        chosen = [shown["results"]] if form == "csv" else list(shown.values())
        sys.stdout.write("\n".join(render(in_form(table, form), form) for table in chosen))
        return
    definition = result.definition
    heading = [f"{definition.name}: {definition.question}", answer(result)]
    heading += [f"note: {note}" for note in result.notes]
    if form is None and console.is_terminal:
        for line in heading:
            console.print(escape(line))
        for name, table in shown.items():
            print_rich(table, console, title=name.capitalize())
        return
    sys.stdout.write("\n".join([*heading, ""]) + "\n")
    sys.stdout.write("\n".join(render(table, "text") for table in shown.values()))
