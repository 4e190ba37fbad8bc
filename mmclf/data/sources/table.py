"""A table as a data source: CSV, TSV, JSON lines or Parquet, in one file or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from mmclf.data.sources.tables.labels import (
    RowLabels,
    labels_of_cells,
    labels_of_columns,
    no_labels,
)
from mmclf.data.sources.tables.picture_paths import image_names, paths_of
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
        image_column: of the images' paths; None for a table without images.
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
        id_column: None for the images' paths, or the line or row numbers without images.
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
        {part: _files(root, name, part, images) for part, name in names.items()},
        [*others, *caption_names, *label_names],
        label_names,
        delimiter,
        encoding,
    )
    if split_column is not None:
        marks = [mark.strip().casefold() for mark in table.texts(split_column)]
    if not label_names:
        found = no_labels(len(table), expected)
    elif label_columns is not None:
        found = labels_of_columns(table, label_names, expected, lower=lower)
    else:
        found = labels_of_cells(table, label_names[0], separator, expected, lower=lower)
    ids = _ids(table, id_column if id_column is not None else image_column, Path(root))
    is_joined = rows == "per_label" or (id_column is not None and caption_use is not None)
    group_rows = rows_of_equal if is_joined else single_rows
    groups = group_rows(ids)
    tests = [mark == "test" for mark in marks] if label_names else []
    used, notes = _used_rows(groups, found, tests, table, unlabelled=unlabelled)
    if len(used) == 0:
        raise InputError(f"{table.path} has no labelled rows; expected at least one sample")
    if len(used) < len(table):
        table, found = table.take(used), found.take(used)
        ids, marks = [ids[row] for row in used.tolist()], [marks[row] for row in used.tolist()]
        groups = group_rows(ids)

    pictures = image_names(table, image_column, image_suffix)
    group_names = table.texts(group_column) if group_column is not None else []
    captions, caption_problems = read_captions(table, caption_names, groups, caption_use)
    matrix = found.matrix(groups)
    paths, problems = paths_of(table, pictures, Path(root, images), groups)
    problems += [
        *id_problems(ids, table, groups, id_column),
        *_part_problems(marks, table),
        *(differing(groups, pictures, ids, table, "images") if pictures else []),
        *(differing(groups, group_names, ids, table, "groups") if group_names else []),
        *differing(groups, marks, ids, table, "parts"),
        *(
            differing_labels(groups, found.counts, matrix, ids, table)
            if rows == "per_sample"
            else []
        ),
        *(group_problems(group_names, pictures, table, group_column) if group_column else []),
        *(_unlabelled(groups, matrix, table) if unlabelled == "error" else []),
        *found.problems,
        *caption_problems,
    ]
    if problems:
        raise InputError(*problems)
    parts = np.array([PARTS[mark] for mark in groups.of_first(marks)])
    return Samples(
        ids=tuple(groups.of_first(ids)),
        images=paths,
        captions=captions.captions,
        labels=matrix,
        label_ids=found.ids,
        label_names=found.ids,
        own_val=parts == "val",
        own_test=parts == "test",
        groups=tuple(groups.of_first(group_names)) if group_names else (),
        notes=(*notes, *groups.notes, *captions.notes, *found.notes),
        other_captions=captions.others,
    )


def _files(root: str, name: str, part: str, images: str) -> list[Path]:
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
    )
    return table, [files[file][1] for file in table.file_of.tolist()]


def _used_rows(
    groups: RowGroups, labels: RowLabels, tests: Sequence[bool], table: Table, *, unlabelled: str
) -> tuple[NDArray[np.intp], list[str]]:
    """The rows to use, and notes on the samples without labels.

    The rows of which `tests` is true are left out if none of them has a label, others as
    `unlabelled` says.
    """
    notes = []
    is_used = np.ones(len(table), dtype=np.bool_)
    is_test = np.array(tests, dtype=np.bool_)
    if is_test.any() and not labels.counts[is_test].any():
        is_used &= ~is_test
        notes.append(f"{table.path}: {is_test.sum()} rows of test have no labels, and are left out")
    is_labelled = (labels.matrix(groups).sum(axis=1) > 0)[groups.sample_of]
    bare = np.unique(groups.sample_of[is_used & ~is_labelled])
    if len(bare) and unlabelled != "error":
        done = "kept" if unlabelled == "keep" else "left out"
        notes.append(
            f"{table.path}: {len(bare)} of {len(groups.first)} samples have no labels, and are "
            f"{done} (data.unlabelled={unlabelled})"
        )
    if unlabelled == "drop":
        is_used &= is_labelled
    return np.flatnonzero(is_used), notes


def _ids(table: Table, column: str | None, root: Path) -> list[str]:
    """The ids in a column, or else the numbers of the rows, after the file's name among several."""
    if column is not None:
        return table.texts(column)
    numbers = [str(number) for number in table.numbers.tolist()]
    if len(table.files) == 1:
        return numbers
    names = [f"{path.relative_to(root).as_posix()}:" for path, _ in table.files]
    return [names[i] + n for i, n in zip(table.file_of.tolist(), numbers, strict=True)]


def _part_problems(marks: Sequence[str], table: Table) -> list[str]:
    first = dict(zip(reversed(marks), range(len(marks) - 1, -1, -1), strict=True))
    parts = ", ".join(part for part in PARTS if part)
    expected = f"expected {parts}, or nothing for a row that the split decides about"
    located = [(mark, table.location(first[mark])) for mark in dict.fromkeys(marks)]
    return unknown(located, PARTS, table.path, expected, "part")


def _unlabelled(groups: RowGroups, labels: NDArray[np.uint8], table: Table) -> list[str]:
    """The problem that samples have no labels."""
    bare = groups.first[~labels.any(axis=1)]
    locations = [table.location(row) for row in bare.tolist()]
    return unlabelled_problem(locations, len(groups.first), table.path)
