"""A study's folder: its tables, its page and its figures."""

from __future__ import annotations

import shutil
from pathlib import Path

from mmclf.storage.tracking import Tracker
from mmclf.studies.report.page.document import page
from mmclf.studies.report.page.svg import figures_in
from mmclf.studies.report.read_details import read_details
from mmclf.studies.report.results import StudyResult
from mmclf.studies.report.study_table import write_tables

PAGE = "index.html"


def publish(tracker: Tracker, result: StudyResult, folder: Path) -> None:
    """Write what a study came to into `folder`: tables, page, and its figures as files."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tables(folder, result)
    text = page(result, read_details(tracker, result))
    (folder / PAGE).write_text(text, encoding="utf-8")
    figures = folder / "figures"
    # What an earlier report drew, and this one does not, would pass for this one's.
    shutil.rmtree(figures, ignore_errors=True)
    figures.mkdir()
    for name, svg in figures_in(text).items():
        (figures / f"{name}.svg").write_text(svg, encoding="utf-8")
