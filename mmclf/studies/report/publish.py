"""A study's folder: its tables, its page and its figures."""

from __future__ import annotations

import shutil
from pathlib import Path

from mmclf.storage.tracking import Tracker
from mmclf.studies.report.page.document import page, study_plots
from mmclf.studies.report.page.plot import Plot
from mmclf.studies.report.read_details import read_details
from mmclf.studies.report.results import StudyResult
from mmclf.studies.report.study_tables import write_tables

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
