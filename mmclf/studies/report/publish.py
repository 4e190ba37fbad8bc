"""A study's folder: its tables, its page and its figures."""

from __future__ import annotations

import shutil
from pathlib import Path

from mmclf.storage.tracking import Tracker
from mmclf.studies.report.markdown import markdown
from mmclf.studies.report.page.document import page, study_plots
from mmclf.studies.report.page.plot import Plot
from mmclf.studies.report.read_details import read_details
from mmclf.studies.report.results import StudyResult
from mmclf.studies.report.study_tables import FORMATS, in_form, runs_table, tables
from mmclf.studies.report.tables import SUFFIXES, render, write_forms

PAGE = "index.html"


def publish(tracker: Tracker, result: StudyResult, folder: Path) -> list[Plot]:
    """Write a study's result into `folder`: tables, page, and its figures as files; the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tables(folder, result)
    details = read_details(tracker, result)
    plots = study_plots(result, details)
    (folder / PAGE).write_text(page(result, details, plots), encoding="utf-8")
    figures = folder / "figures"
    # What an earlier report drew, and this one does not, would pass for this one's.
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir()
    for plot in plots:
        (figures / f"{plot.key}.svg").write_text(plot.svg, encoding="utf-8")
    return plots


def write_tables(folder: Path, result: StudyResult) -> None:
    """`results.{txt,md,csv,tex}`, likewise `effects` where there are some, and `runs.csv`.

    `results.md` is the whole result in words and tables.
    """
    for old in folder.glob("effects.*"):
        # Of a design before this one, which had some.
        old.unlink()
    for name, table in tables(result).items():
        forms = {form: in_form(table, form, result.definition.unit) for form in SUFFIXES}
        write_forms(folder, name, forms, FORMATS)
    (folder / "results.md").write_text(markdown(result), encoding="utf-8")
    (folder / "runs.csv").write_text(render(runs_table(result), "csv"), encoding="utf-8")
