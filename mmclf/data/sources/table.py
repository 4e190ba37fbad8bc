"""A table as a data source: a row for each sample, in CSV, TSV or Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmclf.data.image_paths import image_paths
from mmclf.data.problems import listed, repeated, shown, unknown, unlabelled
from mmclf.data.samples import Samples, label_matrix, sorted_labels
from mmclf.data.sources.table_file import Cell, Table, read_table
from mmclf.errors import InputError

LAYOUT = """expected
  ROOT/{file}  with a row for each sample, and a header that names its columns
  ROOT/{images}  the folder that the table's image paths start from"""
# The values of the split column and the parts they mean; "" is left to the split.
PARTS: Mapping[str, str] = {
    "": "",
    "train": "",
    **dict.fromkeys(("val", "validation", "valid", "dev"), "val"),
    "test": "test",
}
OTHER_SEPARATORS = ",;|"  # than the space


def load(
    root: str,
    file: str,
    image_column: str | None = "image",
    caption_column: str | None = "caption",
    label_column: str = "labels",
    id_column: str | None = None,
    split_column: str | None = None,
    separator: str = " ",
    images: str = ".",
    labels: list[str | int] | None = None,
) -> Samples:
    """Read the labelled samples of the table ROOT/`file`.

    If no test row has labels, the test rows are left out. Raises InputError if the file cannot be
    read or lacks a column, and with a problem for each kind of row that cannot be used.

    Args:
        root: folder of the table.
        file: a `.csv`, `.tsv` or `.parquet` file below it.
        image_column: of the images' paths; None for a table without images.
        caption_column: of the captions; None for a table without captions.
        label_column: its cells hold labels with `separator` between them, or lists (Parquet).
        id_column: None for the images' paths, or the line or row numbers without images.
        split_column: of `train`, `val`, `test` or nothing.
        separator: between labels.
        images: folder below `root` that the images' paths start from.
        labels: all labels in order; None for those in the table, sorted.

    """
    path = Path(root, file)
    _check_layout(path, root, LAYOUT.format(file=file, images=images))
    expected_labels = [str(label).strip() for label in labels] if labels is not None else None
    _check_settings(image_column, caption_column, separator, expected_labels)
    column_names = (image_column, caption_column, label_column, id_column, split_column)
    table = read_table(path, [name for name in column_names if name is not None])
    table, label_sets, marks = _labelled_rows(table, label_column, split_column, separator)
    ids = _ids(table, id_column if id_column is not None else image_column)
    paths, problems = _paths(table, image_column, Path(root, images))
    problems += [
        *_id_problems(ids, table, id_column),
        *_part_problems(marks, table),
        *_label_problems(label_sets, table, expected_labels),
        *(_separator_problems(table.columns[label_column], table) if separator == " " else []),
    ]
    if problems:
        raise InputError(*problems)
    all_labels = {label for label_set in label_sets for label in label_set}
    label_ids = tuple(expected_labels) if expected_labels is not None else sorted_labels(all_labels)
    return Samples(
        ids=tuple(ids),
        images=paths,
        captions=tuple(table.texts(caption_column)),
        labels=label_matrix(label_sets, label_ids),
        label_ids=label_ids,
        label_names=label_ids,
        own_val=np.array([PARTS[mark] == "val" for mark in marks]),
        own_test=np.array([PARTS[mark] == "test" for mark in marks]),
    )


def _check_layout(path: Path, root: str, layout: str) -> None:
    if not Path(root).is_dir():
        raise InputError(f"data.root: there is no folder {root}; {layout}")
    if not path.is_file():
        raise InputError(f"data.file: there is no file {path}; {layout}")


def _check_settings(
    image_column: str | None,
    caption_column: str | None,
    separator: str,
    labels: Sequence[str] | None,
) -> None:
    problems = []
    if image_column is None and caption_column is None:
        problems.append(
            "data.image_column and data.caption_column are both null, which leaves nothing to learn"
            " from: give one of them a column's name"
        )
    if not separator:
        problems.append("data.separator is empty; expected what stands between labels, as ' '")
    if labels is not None:
        problems += repeated(labels, "data.labels", "label", "name it once")
        if not labels or "" in labels:
            problems.append("data.labels: expected a list of labels' names, or null for all found")
    if problems:
        raise InputError(*problems)


def _label_set(cell: Cell, separator: str) -> tuple[str, ...]:
    if isinstance(cell, str):
        # A space as the separator also means several spaces, and tabs.
        cell = cell.split() if separator == " " else cell.split(separator)
    return tuple(label.strip() for label in cell if label.strip())


def _labelled_rows(
    table: Table, label_column: str, split_column: str | None, separator: str
) -> tuple[Table, list[tuple[str, ...]], list[str]]:
    """The rows to use, with their label sets and the marks of the split.

    All rows, except the test rows if none of them has a label. Raises InputError if none is left.
    """
    label_sets = [_label_set(cell, separator) for cell in table.columns[label_column]]
    marks = [mark.strip().casefold() for mark in table.texts(split_column)]
    test = {i for i, mark in enumerate(marks) if mark == "test"}
    left_out = set() if any(label_sets[i] for i in test) else test
    rows = [i for i in range(len(table)) if i not in left_out]
    if not rows:
        raise InputError(f"{table.path} has no labelled rows; expected at least one sample")
    return table.take(rows), [label_sets[i] for i in rows], [marks[i] for i in rows]


def _ids(table: Table, column: str | None) -> list[str]:
    if column is not None:
        return table.texts(column)
    return [location.rpartition(" ")[2] for location in table.locations]


def _paths(table: Table, column: str | None, folder: Path) -> tuple[tuple[Path, ...], list[str]]:
    """The images' paths, empty without a column, and the problems with them."""
    if column is None:
        return (), []
    locations = [f"{table.path}, {location}" for location in table.locations]
    try:
        return image_paths(folder, table.texts(column), locations), []
    except InputError as error:
        return (), list(error.problems)


def _id_problems(ids: Sequence[str], table: Table, id_column: str | None) -> list[str]:
    if id_column is None:
        return repeated(
            ids, table.path, "id", "keep one row for each image, or give data.id_column"
        )
    missing = [
        location for sample_id, location in zip(ids, table.locations, strict=True) if not sample_id
    ]
    problems = [f"{table.path}: {len(missing)} rows have no id ({listed(missing)}): give them one"]
    return [
        *(problems if missing else []),
        *repeated([sample_id for sample_id in ids if sample_id], table.path),
    ]


def _part_problems(marks: Sequence[str], table: Table) -> list[str]:
    parts = ", ".join(part for part in PARTS if part)
    expected = f"expected {parts}, or nothing for a row that the split decides about"
    return unknown(zip(marks, table.locations, strict=True), PARTS, table.path, expected, "part")


def _label_problems(
    label_sets: Sequence[Sequence[str]], table: Table, expected: Sequence[str] | None
) -> list[str]:
    rows = list(zip(label_sets, table.locations, strict=True))
    unlabelled_rows = [location for labels, location in rows if not labels]
    problems = unlabelled(unlabelled_rows, len(rows), table.path)
    if expected is not None:
        located = [(label, location) for labels, location in rows for label in labels]
        problems += unknown(
            located, expected, table.path, "add them to data.labels, or correct them"
        )
    return problems


def _separator_problems(column: Sequence[Cell], table: Table) -> list[str]:
    """The problem that space-separated labels contain another common separator."""
    suspicious = [
        (label, location)
        for cell, location in zip(column, table.locations, strict=True)
        if isinstance(cell, str)
        for label in cell.split()
        if any(mark in label for mark in OTHER_SEPARATORS)
    ]
    if not suspicious:
        return []
    label, location = suspicious[0]
    mark = next(mark for mark in OTHER_SEPARATORS if mark in label)
    return [
        f"{table.path}, {location}: the label {shown(label)} holds {mark!r}, and data.separator "
        f"is a space: set data.separator to {mark!r}, or rename the label"
    ]
