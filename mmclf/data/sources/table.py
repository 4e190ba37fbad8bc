"""A table as a data source: CSV, TSV, JSON lines or Parquet, in one file or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from mmclf.data.samples import Samples
from mmclf.data.sources.caption_use import CaptionUse
from mmclf.data.sources.tables.captions import read_captions
from mmclf.data.sources.tables.labelled_rows import LabelledRows, row_problems, used_rows
from mmclf.data.sources.tables.picture_paths import (
    compared_names,
    image_names,
    images_of,
    with_named_cells,
)
from mmclf.data.sources.tables.reader import Table
from mmclf.data.sources.tables.rows import differing, group_problems
from mmclf.data.sources.tables.settings import (
    CaptionSettings,
    ImageSettings,
    LabelSettings,
    RowSettings,
    TableSettings,
)
from mmclf.data.sources.tables.table_files import PARTS, TableFiles
from mmclf.errors import InputError


def load(
    root: str,
    file: str | None = None,
    files: Mapping[str, str] | None = None,
    image_column: str | None = "image",
    image_suffix: str | None = None,
    images: str = ".",
    caption_column: str | None = "caption",
    caption_columns: str | list[str | int] | None = None,
    caption_use: CaptionUse | None = None,
    label_column: str | None = "labels",
    label_columns: str | list[str | int] | None = None,
    labels: list[str | int] | None = None,
    label_case: Literal["as_is", "lower"] = "as_is",
    separator: str = " ",
    unlabelled: Literal["error", "keep", "drop"] = "error",
    rows: Literal["per_sample", "per_label"] = "per_sample",
    id_column: str | None = None,
    group_column: str | None = None,
    split_column: str | None = None,
    delimiter: str = "auto",
    encoding: str = "auto",
) -> Samples:
    """Read the samples of the table ROOT/`file`, or of a table for each part in `files`.

    If no test row has labels, the test rows are left out. Raises InputError if a file cannot be
    read or lacks a column, and with a problem for each kind of row that cannot be used.

    Args:
        root: folder of the tables.
        file: a `.csv`, `.tsv`, `.jsonl` (also `.gz`) or `.parquet`, a folder of them, or a pattern.
        files: instead, such a name for each part, `train`, `val` or `test`.
        image_column: of the images' paths, or in Parquet of their bytes; None for no images.
        image_suffix: added to paths that have none, as `.jpg`.
        images: folder below `root` that the images' paths start from.
        caption_column: of the captions, or of lists of them; None for a table without captions.
        caption_columns: instead, several columns, or `PREFIX*` for all that begin so.
        caption_use: `first`, `join` or `each` of several; None for a row's first, rows not joined.
        label_column: its cells hold labels with `separator` between them, or lists.
        label_columns: instead, a 0/1 column for each label, or `PREFIX*` for all that begin so.
        labels: all labels in order; None for those in the table, sorted.
        label_case: `lower` takes all labels in lower case.
        unlabelled: what becomes of samples without labels.
        rows: each a sample, or each a label of the sample with its id (its image without ids).
        id_column: None for the images' paths or names, or the rows' numbers without images.
        group_column: of what must stay in one part; None for the image.
        split_column: of `train`, `val`, `test` or nothing.
        delimiter: between cells, a character or `tab`; `auto` to look at the file.
        encoding: a codec; `auto` for UTF-8, or UTF-16 with a byte order mark.

    """
    settings = TableSettings(
        TableFiles(root, file, files, images, delimiter, encoding),
        ImageSettings(image_column, image_suffix),
        CaptionSettings(caption_column, caption_columns, caption_use),
        LabelSettings(label_column, label_columns, labels, label_case, separator, unlabelled),
        RowSettings(rows, id_column, group_column, split_column),
    )
    used, notes = used_rows(_rows(settings), unlabelled, has_labels=bool(settings.labels.names))
    return _samples(used, settings, notes)


def _rows(settings: TableSettings) -> LabelledRows:
    """All rows of the table; raises InputError for wrong settings."""
    settings.files.names()  # without the files, the rest says little
    if problems := list(settings.problems()):
        raise InputError(*problems)
    label_names, image_column = settings.labels.names, settings.images.column
    table, marks = settings.files.read(settings.columns, label_names, image_column)
    root = Path(settings.files.root)
    table = with_named_cells(table, image_column, root)
    if settings.rows.split_column is not None:
        marks = [mark.strip().casefold() for mark in table.texts(settings.rows.split_column)]
    labels = settings.labels.read(table)
    ids = _ids(table, settings.id_column, root)
    return LabelledRows(table, ids, marks, labels, settings.are_joined)


def _ids(table: Table, column: str | None, root: Path) -> list[str]:
    """The ids in a column, or else the numbers of the rows, after the file's name among several."""
    if column is not None:
        return table.texts(column)
    if len(table.files) == 1:
        return [str(number) for number in table.numbers.tolist()]
    return table.row_names(root)


def _samples(rows: LabelledRows, settings: TableSettings, notes: Sequence[str]) -> Samples:
    """The samples that the rows make up; raises InputError for rows that cannot be used."""
    table, samples = rows.table, rows.samples
    image_column, group_column = settings.images.column, settings.rows.group_column
    names = image_names(table, image_column, settings.images.suffix)
    images, image_problems = images_of(
        table, image_column, names, settings.files.image_folder, samples
    )
    groups = table.texts(group_column) if group_column is not None else []
    captions, caption_problems = read_captions(
        table, settings.captions.names, samples, settings.captions.use
    )
    problems = [
        *image_problems,
        *row_problems(rows, settings.rows, settings.labels.unlabelled),
        *_image_problems(rows, names, Path(settings.files.root)),
        *_group_problems(rows, groups, names, group_column),
        *caption_problems,
    ]
    if problems:
        raise InputError(*problems)
    parts = np.array([PARTS[mark] for mark in samples.of_first(rows.marks)])
    return Samples(
        ids=tuple(samples.of_first(rows.ids)),
        images=images,
        captions=captions.captions,
        labels=rows.labels.matrix(samples),
        label_ids=rows.labels.ids,
        label_names=rows.labels.ids,
        own_val=parts == "val",
        own_test=parts == "test",
        groups=tuple(samples.of_first(groups)) if groups else (),
        notes=(*notes, *samples.notes, *captions.notes, *rows.labels.notes),
        other_captions=captions.others,
    )


def _image_problems(rows: LabelledRows, names: Sequence[str], root: Path) -> list[str]:
    """The problem that rows of one sample have different images, called `names` (R,)."""
    if not names:
        return []
    compared = compared_names(rows.table, names, rows.samples, root)
    return differing(rows.samples, compared, rows.ids, rows.table, "images")


def _group_problems(
    rows: LabelledRows, groups: Sequence[str], images: Sequence[str], column: str | None
) -> list[str]:
    """What is wrong with the `groups` (R,) in a column, if there is one."""
    if column is None:
        return []
    return [
        *differing(rows.samples, groups, rows.ids, rows.table, "groups"),
        *group_problems(groups, images, rows.table, column),
    ]
