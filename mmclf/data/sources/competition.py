"""The COMP5329 competition's layout: train.csv, test.csv and a folder of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmclf.data.image_paths import image_paths
from mmclf.data.problems import repeated, unknown, unlabelled
from mmclf.data.samples import Samples, label_matrix, sorted_labels
from mmclf.data.sources.competition_csv import CompetitionRow, read_rows
from mmclf.errors import InputError

LAYOUT = """expected
  ROOT/{train_csv}  with the columns ImageID,Labels,Caption
  ROOT/{images}/    with the images that ImageID names
  ROOT/{test_csv}   (optional) the same columns; without Labels it is left for predictions"""


def load(
    root: str,
    train_csv: str = "train.csv",
    test_csv: str = "test.csv",
    images: str = "data",
    label_names: Mapping[str, str] | None = None,
) -> Samples:
    """Read the labelled samples below `root`; a labelled `test_csv` is the source's own test set.

    Raises InputError if a file is missing or a row cannot be read, and with a problem for each of:
    repeated ids, rows without labels, ImageIDs that lead outside the folder `images`, labels in the
    test set that the training set lacks.
    """
    folder = Path(root)
    check_layout(folder, train_csv, test_csv, images)
    train_path, test_path = folder / train_csv, folder / test_csv
    train = read_rows(train_path)
    if not train:
        raise InputError(f"{train_path} has no rows; expected at least one sample")
    test = read_rows(test_path) if test_path.is_file() else []
    if test and all(row.labels is None for row in test):
        test = []

    rows = train + test
    ids = tuple(row.id for row in rows)
    label_ids = sorted_labels({label for row in train for label in row.labels or ()})
    names = label_names if label_names is not None else {}
    display_names = tuple(names.get(label, label) for label in label_ids)
    problems = [
        *_unlabelled_rows(train, train_path),
        *_unlabelled_rows(test, test_path),
        *repeated(ids, folder),
        *repeated(display_names, folder, "label name", "correct data.label_names"),
        *_unknown_labels(test, label_ids, test_path),
    ]
    locations = [f"{train_path}, line {row.line}" for row in train]
    locations += [f"{test_path}, line {row.line}" for row in test]
    try:
        paths = image_paths(folder / images, ids, locations)
    except InputError as error:
        raise InputError(*problems, *error.problems) from error
    if problems:
        raise InputError(*problems)
    return Samples(
        ids=ids,
        images=paths,
        captions=tuple(row.caption for row in rows),
        labels=label_matrix([row.labels or () for row in rows], label_ids),
        label_ids=label_ids,
        label_names=display_names,
        own_val=np.zeros(len(rows), dtype=bool),
        own_test=np.arange(len(rows)) >= len(train),
    )


def check_layout(folder: Path, train_csv: str, test_csv: str, images: str) -> None:
    """Raise InputError unless the folder and the training table are there."""
    layout = LAYOUT.format(train_csv=train_csv, test_csv=test_csv, images=images)
    if not folder.is_dir():
        raise InputError(f"data.root: there is no folder {folder}; {layout}")
    if not (folder / train_csv).is_file():
        raise InputError(f"data.root: {folder} has no {train_csv}; {layout}")


def _unlabelled_rows(rows: Sequence[CompetitionRow], path: Path) -> list[str]:
    return unlabelled([f"line {row.line}" for row in rows if not row.labels], len(rows), path)


def _unknown_labels(
    rows: Sequence[CompetitionRow], label_ids: Sequence[str], path: Path
) -> list[str]:
    located = [(label, f"line {row.line}") for row in rows for label in row.labels or ()]
    return unknown(located, label_ids, path, "no training sample has them: correct or remove them")
