"""A table as a data source: CSV, TSV, JSON lines or Parquet, in one file or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmclf.data.problems import unknown
from mmclf.data.problems import unlabelled as unlabelled_problem
from mmclf.data.samples import Samples
from mmclf.data.sources.caption_use import CaptionUse
from mmclf.data.sources.tables import settings
from mmclf.data.sources.tables.captions import read_captions
from mmclf.data.sources.tables.label_cells import labels_of_cells
from mmclf.data.sources.tables.label_columns import labels_of_columns
from mmclf.data.sources.tables.labels import RowLabels, no_labels
from mmclf.data.sources.tables.picture_paths import (
    compared_names,
    image_names,
    images_of,
    with_named_cells,
)
from mmclf.data.sources.tables.reader import Table, read_table, table_files
from mmclf.data.sources.tables.rows import (
    RowGroups,
    differing,
    differing_labels,
    group_problems,
    id_problems,
    rows_of_equal,
    single_rows,
)
from mmclf.data.sources.tables.settings import PARTS
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
        file: below it, `.csv`, `.tsv`, `.jsonl` (also with `.gz`) or `.parquet`; a folder of such
            files, or a pattern as `train-*.parquet`.
        files: instead, such a name for each part, `train`, `val` or `test`.
        image_column: of the images' paths, or in Parquet of their bytes; None for no images.
        image_suffix: added to paths that have none, as `.jpg`.
        images: folder below `root` that the images' paths start from.
        caption_column: of the captions, or of lists of them; None for a table without captions.
        caption_columns: instead, several columns, or `PREFIX*` for all that begin so.
        caption_use: the `first` of several captions, all `join`ed, or `each`; None for the first of
            a row, where rows are not joined by captions.
        label_column: its cells hold labels with `separator` between them, or lists.
        label_columns: instead, a 0/1 column for each label, or `PREFIX*` for all that begin so.
        labels: all labels in order; None for those in the table, sorted.
        label_case: `lower` takes all labels in lower case.
        separator: between labels.
        unlabelled: what becomes of samples without labels.
        rows: each a sample, or each a label of the sample with its id (its image without ids).
        id_column: None for the images' paths or names, or the line or row numbers without images.
        group_column: of what must stay in one part; None for the image.
        split_column: of `train`, `val`, `test` or nothing.
        delimiter: between cells; `auto` to look at the file.
        encoding: of the files, a codec; `auto` for UTF-8, or UTF-16 with a byte order mark.

    """
    lower = label_case == "lower"
    caption_names = settings.names_of(caption_columns, caption_column)
    label_names = settings.names_of(label_columns, label_column)
    expected = settings.texts_of(labels, lower=lower)
    names = settings.named_files(root, file, files, images)
    delimiter = "\t" if delimiter == "tab" else delimiter
    problems = [
        *settings.one_of_two("caption_column", caption_column, caption_columns, "caption"),
        *settings.one_of_two("label_column", label_column, label_columns, "labels"),
        *settings.input_problems(image_column, caption_names),
        *settings.text_problems(separator, delimiter, encoding, image_suffix),
        *settings.label_problems(label_names, expected, unlabelled),
        *settings.row_problems(rows, id_column, image_column, files, split_column),
    ]
    if problems:
        raise InputError(*problems)
    others = [n for n in (image_column, id_column, group_column, split_column) if n is not None]
    table, marks = _read(
        {part: part_files(root, name, part, images) for part, name in names.items()},
        [*others, *caption_names, *label_names],
        label_names,
        delimiter,
        encoding,
        image_column,
    )
    table = with_named_cells(table, image_column, Path(root))
    if split_column is not None:
        marks = [mark.strip().casefold() for mark in table.texts(split_column)]
    if not label_names:
        row_labels = no_labels(len(table), expected)
    elif label_columns is not None:
        row_labels = labels_of_columns(table, label_names, expected, lower=lower)
    else:
        row_labels = labels_of_cells(table, label_names[0], separator, expected, lower=lower)
    ids = _ids(table, id_column if id_column is not None else image_column, Path(root))
    is_joined = rows == "per_label" or (id_column is not None and caption_use is not None)
    every = _Rows(table, ids, marks, row_labels, is_joined)
    used, notes = _used_rows(every, unlabelled, has_labels=bool(label_names))
    problems = _problems(used, id_column, rows, unlabelled)
    pictures = image_names(used.table, image_column, image_suffix)
    locations, image_problems = images_of(
        used.table, image_column, pictures, Path(root, images), used.samples
    )
    groups = used.table.texts(group_column) if group_column is not None else []
    captions, caption_problems = read_captions(used.table, caption_names, used.samples, caption_use)
    if pictures:
        compared = compared_names(used.table, pictures, used.samples, Path(root))
        problems += differing(used.samples, compared, used.ids, used.table, "images")
    if group_column is not None:
        problems += differing(used.samples, groups, used.ids, used.table, "groups")
        problems += group_problems(groups, pictures, used.table, group_column)
    if problems := [*image_problems, *problems, *caption_problems]:
        raise InputError(*problems)
    parts = np.array([PARTS[mark] for mark in used.samples.of_first(used.marks)])
    return Samples(
        ids=tuple(used.samples.of_first(used.ids)),
        images=locations,
        captions=captions.captions,
        labels=used.labels.matrix(used.samples),
        label_ids=row_labels.ids,
        label_names=row_labels.ids,
        own_val=parts == "val",
        own_test=parts == "test",
        groups=tuple(used.samples.of_first(groups)) if groups else (),
        notes=(*notes, *used.samples.notes, *captions.notes, *row_labels.notes),
        other_captions=captions.others,
    )


@dataclass(frozen=True)
class _Rows:
    """R rows of a table: with the id, the part and the labels of each."""

    table: Table
    ids: Sequence[str]
    marks: Sequence[str]
    labels: RowLabels
    is_joined: bool

    @cached_property
    def samples(self) -> RowGroups:
        """The rows of each sample: those of an equal id, or each row its own."""
        return rows_of_equal(self.ids) if self.is_joined else single_rows(self.ids)

    def take(self, rows: NDArray[np.intp]) -> _Rows:
        """Only the rows at these indices, ascending."""
        if len(rows) == len(self.ids):
            return self
        ids, marks = ([values[row] for row in rows.tolist()] for values in (self.ids, self.marks))
        return _Rows(self.table.take(rows), ids, marks, self.labels.take(rows), self.is_joined)


def part_files(root: str, name: str, part: str, images: str) -> list[Path]:
    """The files of a part's table; raises InputError if there is none."""
    try:
        return table_files(Path(root), name)
    except InputError as error:
        key = f"data.files.{part}" if part else "data.file"
        layout = settings.LAYOUT.format(file=name, images=images)
        raise InputError(f"{key}: {error}; {layout}") from error


def _read(
    paths: Mapping[str, Sequence[Path]],
    columns: Sequence[str],
    label_columns: Sequence[str],
    delimiter: str,
    encoding: str,
    image_column: str | None,
) -> tuple[Table, list[str]]:
    """The table out of the files of all parts, and the part of each row.

    Files of the test part may lack the columns of the labels.
    """
    files = [(path, part) for part, several in paths.items() for path in several]
    table = read_table(
        [path for path, _ in files],
        columns,
        optional={path: label_columns for path, part in files if part == "test"},
        delimiter=delimiter,
        encoding=encoding,
        pictures=image_column,
    )
    if len(paths) == 1:
        return table, [*paths] * len(table)
    return table, [files[file][1] for file in table.file_of.tolist()]


def _used_rows(rows: _Rows, unlabelled: str, *, has_labels: bool) -> tuple[_Rows, list[str]]:
    """The rows to use, and notes on the samples without labels.

    Test rows are left out if the table has labels and none of them has one, others as `unlabelled`
    says. Raises InputError if none is left.
    """
    notes, where = [], rows.table.path
    is_used = np.ones(len(rows.table), dtype=np.bool_)
    is_test = np.array([mark == "test" for mark in rows.marks], dtype=np.bool_)
    if has_labels and is_test.any() and not rows.labels.counts[is_test].any():
        is_used &= ~is_test
        notes.append(f"{where}: {is_test.sum()} rows of test have no labels, and are left out")
    sample_of, count = rows.samples.sample_of, len(rows.samples.first)
    is_labelled = (rows.labels.matrix(rows.samples).sum(axis=1) > 0)[sample_of]
    bare = np.unique(sample_of[is_used & ~is_labelled])
    if has_labels and len(bare) and unlabelled != "error":
        done = "kept" if unlabelled == "keep" else "left out"
        notes.append(
            f"{where}: {len(bare)} of {count} samples have no labels, and are {done} "
            f"(data.unlabelled={unlabelled})"
        )
    if unlabelled == "drop":
        is_used &= is_labelled
    if not is_used.any():
        raise InputError(f"{where} has no labelled rows; expected at least one sample")
    return rows.take(np.flatnonzero(is_used)), notes


def _ids(table: Table, column: str | None, root: Path) -> list[str]:
    """The ids in a column, or else the numbers of the rows, after the file's name among several."""
    if column is not None:
        return table.texts(column)
    if len(table.files) == 1:
        return [str(number) for number in table.numbers.tolist()]
    return table.row_names(root)


def _problems(rows: _Rows, id_column: str | None, per: str, unlabelled: str) -> list[str]:
    """What is wrong with the ids, the parts and the labels of the rows."""
    table, samples, labels = rows.table, rows.samples, rows.labels
    problems = [
        *id_problems(rows.ids, table, samples, id_column),
        *_part_problems(rows.marks, table),
        *differing(samples, rows.marks, rows.ids, table, "parts"),
    ]
    matrix = labels.matrix(samples)
    if per == "per_sample":
        problems += differing_labels(samples, labels.counts, matrix, rows.ids, table)
    if unlabelled == "error":
        bare = samples.first[~matrix.any(axis=1)].tolist()
        locations = [table.location(row) for row in bare]
        problems += unlabelled_problem(locations, len(samples.first), table.path)
    return [*problems, *labels.problems]


def _part_problems(marks: Sequence[str], table: Table) -> list[str]:
    if set(marks) <= PARTS.keys():
        return []
    first = dict(zip(reversed(marks), range(len(marks) - 1, -1, -1), strict=True))
    parts = ", ".join(part for part in PARTS if part)
    expected = f"expected {parts}, or nothing for a row that the split decides about"
    located = [(mark, table.location(first[mark])) for mark in dict.fromkeys(marks)]
    return unknown(located, PARTS, table.path, expected, "part")
