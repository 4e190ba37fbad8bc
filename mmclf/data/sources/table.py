"""A table of one's own as a data source: a row for each sample, in CSV, TSV or Parquet."""

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
# What the split column may say, and the part that it means; "" is left to the split.
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
    """The labelled samples of the table ROOT/`file`: `.csv`, `.tsv` or `.parquet`.

    A cell of `label_column` holds labels with `separator` between them, or is a list (Parquet).
    `labels` names all labels in the order wanted, None takes those found. Images lie below
    ROOT/`images`. Ids are the image's names, or the numbers of lines or rows if there are no
    images, unless there is an `id_column`. The split column says train, val, test or nothing; if no
    test row has labels, the test rows are left out. Raises InputError if the file cannot be read or
    lacks a column, and with a finding for each kind of row that cannot be used.
    """
    path = Path(root, file)
    _check_layout(path, root, LAYOUT.format(file=file, images=images))
    wanted = [str(label).strip() for label in labels] if labels is not None else None
    _check_settings(image_column, caption_column, separator, wanted)
    named = (image_column, caption_column, label_column, id_column, split_column)
    table = read_table(path, [name for name in named if name is not None])
    sets = [_label_set(cell, separator) for cell in table.columns[label_column]]
    marks = [mark.strip().casefold() for mark in table.texts(split_column)]
    kept = _labelled(sets, marks)
    if not kept:
        raise InputError(f"{path} has no labelled rows; expected at least one sample")
    table, sets, marks = table.take(kept), [sets[i] for i in kept], [marks[i] for i in kept]

    ids = _ids(table, id_column if id_column is not None else image_column)
    paths, problems = _paths(table, image_column, Path(root, images))
    problems += [
        *_about_ids(ids, table, id_column),
        *_about_marks(marks, table),
        *_about_labels(sets, table, wanted),
        *(_about_separator(table.columns[label_column], table) if separator == " " else []),
    ]
    if problems:
        raise InputError(*problems)
    found = {label for labels_of_row in sets for label in labels_of_row}
    label_ids = tuple(wanted) if wanted is not None else sorted_labels(found)
    return Samples(
        ids=tuple(ids),
        images=paths,
        captions=tuple(table.texts(caption_column)),
        labels=label_matrix(sets, label_ids),
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
        # A space stands for several of them and for tabs, too.
        cell = cell.split() if separator == " " else cell.split(separator)
    return tuple(label.strip() for label in cell if label.strip())


def _labelled(sets: Sequence[Sequence[str]], marks: Sequence[str]) -> list[int]:
    """The rows to use: all, but for test rows if none of them has a label."""
    test = {i for i, mark in enumerate(marks) if mark == "test"}
    left_out = set() if any(sets[i] for i in test) else test
    return [i for i in range(len(sets)) if i not in left_out]


def _ids(table: Table, column: str | None) -> list[str]:
    if column is not None:
        return table.texts(column)
    return [place.rpartition(" ")[2] for place in table.places]


def _paths(table: Table, column: str | None, folder: Path) -> tuple[tuple[Path, ...], list[str]]:
    """The images' paths, none without such a column, and what is wrong with them."""
    if column is None:
        return (), []
    places = [f"{table.path}, {place}" for place in table.places]
    try:
        return image_paths(folder, table.texts(column), places), []
    except InputError as error:
        return (), list(error.problems)


def _about_ids(ids: Sequence[str], table: Table, id_column: str | None) -> list[str]:
    if id_column is None:
        return repeated(
            ids, table.path, "id", "keep one row for each image, or give data.id_column"
        )
    bare = [place for one, place in zip(ids, table.places, strict=True) if not one]
    problems = [f"{table.path}: {len(bare)} rows have no id ({listed(bare)}): give them one"]
    return [*(problems if bare else []), *repeated([one for one in ids if one], table.path)]


def _about_marks(marks: Sequence[str], table: Table) -> list[str]:
    parts = ", ".join(part for part in PARTS if part)
    expected = f"expected {parts}, or nothing for a row that the split decides about"
    return unknown(zip(marks, table.places, strict=True), PARTS, table.path, expected, "part")


def _about_labels(
    sets: Sequence[Sequence[str]], table: Table, wanted: Sequence[str] | None
) -> list[str]:
    rows = list(zip(sets, table.places, strict=True))
    bare = [place for labels, place in rows if not labels]
    problems = unlabelled(bare, len(rows), table.path)
    if wanted is not None:
        placed = [(label, place) for labels, place in rows for label in labels]
        problems += unknown(placed, wanted, table.path, "add them to data.labels, or correct them")
    return problems


def _about_separator(column: Sequence[Cell], table: Table) -> list[str]:
    """The finding that labels between spaces look as if something else separated them."""
    odd = [
        (label, place)
        for cell, place in zip(column, table.places, strict=True)
        if isinstance(cell, str)
        for label in cell.split()
        if any(mark in label for mark in OTHER_SEPARATORS)
    ]
    if not odd:
        return []
    label, place = odd[0]
    mark = next(mark for mark in OTHER_SEPARATORS if mark in label)
    return [
        f"{table.path}, {place}: the label {shown(label)} holds {mark!r}, and data.separator is a "
        f"space: set data.separator to {mark!r}, or rename the label"
    ]
