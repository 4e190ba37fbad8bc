"""The settings of a table, checked before it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmclf.data.problems import repeated
from mmclf.data.sources.tables.text_stream import AUTO, encoding_problems
from mmclf.errors import InputError, suggestion

# The values of the split column, and the names of files, with the parts they mean; "" is left to
# the split.
PARTS: Mapping[str, str] = {
    "": "",
    "train": "",
    **dict.fromkeys(("val", "validation", "valid", "dev"), "val"),
    "test": "test",
}
LAYOUT = """expected
  ROOT/{file}  with a row for each sample, and a header that names its columns
  ROOT/{images}  the folder that the table's image paths start from"""


def names_of(several: str | Sequence[str | int] | None, single: str | None) -> list[str]:
    """The columns named by a setting for several, or else by that for one."""
    if several is None:
        return [single] if single is not None else []
    return [several] if isinstance(several, str) else [str(name).strip() for name in several]


def texts_of(names: Sequence[str | int] | None, *, lower: bool) -> list[str] | None:
    """The labels that a setting names, as texts."""
    if names is None:
        return None
    texts = [str(name).strip() for name in names]
    return [text.lower() for text in texts] if lower else texts


def one_of_two(key: str, single: str | None, several: object, usual: str) -> list[str]:
    """The problem that a column is named beside a setting for several columns."""
    if several is None or single in (None, usual):
        return []
    return [f"data.{key} and data.{key}s are both given: give one of them"]


def input_problems(images: str | None, captions: Sequence[str]) -> list[str]:
    """The problem that a table has neither images nor captions."""
    if images is not None or captions:
        return []
    return [
        "data.image_column and data.caption_column are both null, which leaves nothing to learn "
        "from: give one of them a column's name"
    ]


def text_problems(
    separator: str, delimiter: str, encoding: str, image_suffix: str | None
) -> list[str]:
    """What is wrong with the settings of how texts are written."""
    problems = encoding_problems(encoding)
    if not separator:
        problems.append("data.separator is empty; expected what stands between labels, as ' '")
    if delimiter != AUTO and (len(delimiter) != 1 or delimiter in '"\r\n'):
        problems.append(
            f"data.delimiter: found {delimiter!r}, expected auto, or the one character between "
            "cells, as ';' or tab"
        )
    if image_suffix is not None and not (image_suffix.startswith(".") and image_suffix[1:]):
        problems.append(
            f"data.image_suffix: found {image_suffix!r}, expected how images' names end, as .jpg"
        )
    return problems


def row_problems(
    rows: str,
    id_column: str | None,
    image_column: str | None,
    files: object,
    split_column: str | None,
) -> list[str]:
    """What is wrong with the settings of which rows are one sample, and of their parts."""
    problems = []
    if rows == "per_label" and id_column is None and image_column is None:
        problems.append(
            "data.rows=per_label joins rows by their ids: give data.id_column, or data.image_column"
        )
    if files and split_column is not None:
        problems.append("data.files and data.split_column both name parts: give one of them")
    return problems


def label_problems(
    columns: Sequence[str], labels: Sequence[str] | None, unlabelled: str
) -> list[str]:
    """What is wrong with the settings of labels."""
    problems = []
    if not columns and unlabelled != "keep":
        problems.append(
            "data.label_column is null: give a column of labels, or data.unlabelled=keep for a "
            "table without, as one to predict for"
        )
    if labels is not None:
        problems += repeated(labels, "data.labels", "label", "name it once")
        if not labels or "" in labels:
            problems.append("data.labels: expected a list of labels' names, or null for all found")
    return problems


def named_files(
    root: str, file: str | None, files: Mapping[str, str] | None, images: str
) -> dict[str, str]:
    """The name of a file, or of several, by part; raises InputError unless there is one."""
    name = file if file is not None else "FILE"
    layout = LAYOUT.format(file=name, images=images)
    if not Path(root).is_dir():
        raise InputError(f"data.root: there is no folder {root}; {layout}")
    if (file is None) == (not files):
        given = "neither is" if file is None else "both are"
        raise InputError(
            f"data.file and data.files: {given} given; expected data.file=FILE, or a file for each "
            f"part, as data.files={{train: a.csv, val: b.csv, test: c.csv}}; {layout}"
        )
    if not files:
        return {"": name}
    problems = [
        f"data.files.{part}: there is no such part: {suggestion(part, ('train', 'val', 'test'))}"
        for part in files
        if part.strip().casefold() not in PARTS or not part.strip()
    ]
    if problems:
        raise InputError(*problems)
    return {part.strip().casefold(): name for part, name in files.items()}
