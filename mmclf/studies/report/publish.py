"""A study's folder: its tables, its page and its figures."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mmclf.errors import InputError
from mmclf.storage.store.atomic_write import write_files_atomic
from mmclf.storage.tracking import Tracker
from mmclf.studies.report.page.document import page, study_plots
from mmclf.studies.report.page.plot import Plot
from mmclf.studies.report.read_details import read_details
from mmclf.studies.report.results import StudyResult
from mmclf.studies.report.study_tables import write_tables

PAGE, FIGURES = "index.html", "figures"


def publish(tracker: Tracker, result: StudyResult, folder: Path) -> list[Plot]:
    """Write a study's result into `folder`: tables, page, and its figures as files; the plots.

    Either all files are of this result or, on an error, all as they were. Raises InputError if they
    cannot be written.
    """
    details = read_details(tracker, result)
    plots = study_plots(result, details)
    texts = {PAGE: page(result, details, plots)}
    texts |= {f"{FIGURES}/{plot.key}.svg": plot.svg for plot in plots}
    files = {folder / name: text.encode() for name, text in texts.items()}
    try:
        with tempfile.TemporaryDirectory() as name:
            write_tables(Path(name), result)
            files |= {folder / file.name: file.read_bytes() for file in Path(name).iterdir()}
        if (folder / FIGURES).is_symlink():
            (folder / FIGURES).unlink()  # what it leads to is not the report's
        (folder / FIGURES).mkdir(parents=True, exist_ok=True)
        # What an earlier report had, and this one has not, would pass for this one's.
        old = {*folder.glob("effects.*"), *(folder / FIGURES).glob("*.svg")}
        write_files_atomic(files)
        for path in old - files.keys():
            path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: the report cannot be written ({error.strerror or error}): free space, or "
            "give output_dir=DIR of a folder that you may write to"
        ) from error
    return plots
