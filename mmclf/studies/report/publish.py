"""A study's folder: its tables, its page and its figures."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from mmclf.errors import InputError
from mmclf.plots.files import to_pdf, to_png
from mmclf.storage.store.folder_swap import write_folder_atomic
from mmclf.storage.tracking import Tracker
from mmclf.studies.report.errors.read_errors import read_errors
from mmclf.studies.report.page.document import page, study_plots
from mmclf.studies.report.page.plot import Plot
from mmclf.studies.report.result.read_details import read_details
from mmclf.studies.report.result.read_labels import LabelResult, read_labels
from mmclf.studies.report.result.study_result import StudyResult
from mmclf.studies.report.tables.column_choice import chosen
from mmclf.studies.report.tables.label_tables import labels_table
from mmclf.studies.report.tables.paper_tables import paper_tables
from mmclf.studies.report.tables.rendering import SUFFIXES, render, write_forms
from mmclf.studies.report.tables.study_tables import FORMATS, in_form, runs_table, tables
from mmclf.studies.report.words.markdown import markdown

PAGE, FIGURES = "index.html", "figures"
OWN_FILES = (
    "effects.*",
    "labels.csv",
    *(f"{FIGURES}/*.{form}" for form in ("svg", "pdf", "png")),
)  # that not every result has


def publish(
    tracker: Tracker,
    result: StudyResult,
    folder: Path,
    *,
    images: bool = True,
    allow: Sequence[str] = (),
) -> list[Plot]:
    """Write a study's result into `folder`: tables, page, and its figures as files; the plots.

    All files are of this result at once or, on an error, as they were; what else is there stays.
    Raises InputError if they cannot be written. With `images` the page shows samples as their
    source has them, which may come from the modules `allow`.
    """
    labels = read_labels(tracker, result)
    details = read_details(tracker, result)
    errors = read_errors(tracker, result, allow, images=images)
    plots = study_plots(result, details)
    texts = {PAGE: page(result, details, plots, labels, errors)}
    texts |= {f"{FIGURES}/{plot.key}.svg": plot.svg for plot in plots}
    files = {name: text.encode() for name, text in texts.items()}
    for plot in plots:
        files[f"{FIGURES}/{plot.key}.pdf"] = to_pdf(plot.figure)
        files[f"{FIGURES}/{plot.key}.png"] = to_png(plot.figure)
    try:
        with tempfile.TemporaryDirectory() as tables:
            write_tables(Path(tables), result, labels)
            files |= {file.name: file.read_bytes() for file in Path(tables).iterdir()}
        # What an earlier report had, and this one has not, would pass for this one's.
        write_folder_atomic(folder, files, OWN_FILES)
    except OSError as error:
        raise InputError(
            f"{folder}: the report cannot be written ({error.strerror or error}): free space, or "
            "give output_dir=DIR of a folder that you may write to"
        ) from error
    return plots


def write_tables(folder: Path, result: StudyResult, labels: LabelResult | None = None) -> None:
    """`results.{txt,md,csv,tex}`, likewise `effects` where there are some, and `runs.csv`.

    `labels.csv` where labels are compared.

    `results.md` is the whole result in words and tables.
    """
    if labels is not None:
        (folder / "labels.csv").write_text(render(labels_table(labels), "csv"), encoding="utf-8")
    for name, table in tables(result).items():
        shown = chosen(table, None, result.definition.metric)
        forms = {form: in_form(shown, form, result.definition.unit) for form in SUFFIXES}
        forms["csv"] = table  # whole
        write_forms(folder, name, forms, FORMATS)
    for name, text in paper_tables(result).items():
        (folder / f"{name}.{SUFFIXES['tex']}").write_text(text, encoding="utf-8")
    (folder / "results.md").write_text(markdown(result), encoding="utf-8")
    (folder / "runs.csv").write_text(render(runs_table(result), "csv"), encoding="utf-8")
