"""A study's result for a person at a terminal, or as plain text off one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from mmclf.errors import printable, say
from mmclf.storage.tracking import TrackedRun
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.arm_means import FORMATS as MEAN_FORMATS
from mmclf.studies.report.tables.arm_means import SPARE as MEAN_SPARE
from mmclf.studies.report.tables.arm_means import Names, arm_means
from mmclf.studies.report.tables.column_choice import chosen
from mmclf.studies.report.tables.paper_tables import paper_tables
from mmclf.studies.report.tables.rendering import print_rich, render
from mmclf.studies.report.tables.run_table import remarks
from mmclf.studies.report.tables.study_tables import (
    FORMATS,
    SPARE,
    in_form,
    reading_difference,
    run_state,
    tables,
)
from mmclf.studies.report.words.answer import answer
from mmclf.studies.report.words.markdown import markdown


def show(
    result: StudyResult,
    console: Console,
    form: str | None = None,
    columns: Sequence[str] | None = None,
) -> None:
    """Print question, answer, notes and tables; with a `form` the tables alone, in that form.

    As CSV it is the table of the arms alone: a second table would be read as rows of the first. As
    Markdown it is the whole, with the method. `columns`: of the tables, by short names.
    """
    metric, unit = result.definition.metric, result.definition.unit
    shown = {name: chosen(table, columns, metric) for name, table in tables(result).items()}
    if form == "tex":
        sys.stdout.write("\n".join(paper_tables(result, columns).values()))
        return
    if form == "md":
        sys.stdout.write(markdown(result, columns))
        return
    if form == "csv":
        of_arms = tables(result)["results"] if columns is None else shown["results"]
        sys.stdout.write(render(of_arms, form, FORMATS))
        return
    definition = result.definition
    heading = [f"{definition.name}: {definition.question}", *answer(result).text.splitlines()]
    heading = [printable(line) for line in (*heading, *(f"note: {n}" for n in result.notes))]
    reading = {name: in_form(table, "text", unit) for name, table in shown.items()}
    if form is None and console.is_terminal:
        for line in heading:
            console.print(Text(line))
        whole = (reading_difference(unit, stopped=result.looks is not None),)
        for name, table in reading.items():
            console.print()
            title = f"{name.capitalize()}, in {unit}"
            print_rich(table, console, title, FORMATS, spare=SPARE, whole=whole)
    else:
        sys.stdout.write("\n".join([*heading, ""]) + "\n")
        sys.stdout.write("\n".join(render(table, "text", FORMATS) for table in reading.values()))
    for arm in result.arms:
        if arm.failed or arm.missing:
            say(f"{arm.name}: {run_state(arm)}")


def show_arms(runs: Sequence[TrackedRun], arm: Names, console: Console) -> None:
    """Print what the arms of a sweep come to, and what is to be known of it."""
    if not runs:
        return
    table = arm_means(runs, arm)
    if console.is_terminal:
        console.print()
        print_rich(table, console, "Results, in F1 points", MEAN_FORMATS, spare=MEAN_SPARE)
        console.print()
    else:
        sys.stdout.write(render(table, "text", MEAN_FORMATS))
    for remark in remarks(runs):
        say(remark)
