"""The COMP5329 competition's layout: train.csv, test.csv and a folder of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmclf.data.competition_csv import Row, read_rows
from mmclf.data.samples import Samples, check_images, check_unique, label_matrix, sorted_labels
from mmclf.errors import InputError, suggestion

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
    """The labelled samples below `root`; those of a labelled `test_csv` are its own test set.

    Raises InputError if a file is missing, a row cannot be read or has no labels, an id stands
    twice, an image is missing, or the test set has a label that the training set lacks.
    """
    folder = Path(root)
    _check_layout(folder, train_csv, test_csv, images)
    train = read_rows(folder / train_csv)
    if not train:
        raise InputError(f"{folder / train_csv} has no rows; expected at least one sample")
    _check_labelled(train, folder / train_csv)
    test = read_rows(folder / test_csv) if (folder / test_csv).is_file() else []
    if test and all(row.labels is None for row in test):
        test = []
    _check_labelled(test, folder / test_csv)

    label_ids = sorted_labels({label for row in train for label in row.labels or ()})
    _check_known(test, label_ids, folder / test_csv)
    rows = train + test
    ids = tuple(row.id for row in rows)
    check_unique(ids, folder)
    paths = tuple(folder / images / one for one in ids)
    check_images(ids, paths)
    names = label_names if label_names is not None else {}
    called = tuple(names.get(label, label) for label in label_ids)
    check_unique(called, folder, what="label name")
    return Samples(
        ids=ids,
        images=paths,
        captions=tuple(row.caption for row in rows),
        labels=label_matrix([row.labels or () for row in rows], label_ids),
        label_ids=label_ids,
        label_names=called,
        own_test=np.arange(len(rows)) >= len(train),
    )


def _check_layout(folder: Path, train_csv: str, test_csv: str, images: str) -> None:
    layout = LAYOUT.format(train_csv=train_csv, test_csv=test_csv, images=images)
    if not folder.is_dir():
        raise InputError(f"data.root: there is no folder {folder}; {layout}")
    if not (folder / train_csv).is_file():
        raise InputError(f"data.root: {folder} has no {train_csv}; {layout}")
    if not (folder / images).is_dir():
        raise InputError(f"data.root: {folder} has no folder {images}; {layout}")


def _check_labelled(rows: Sequence[Row], path: Path) -> None:
    bare = [row for row in rows if not row.labels]
    if bare:
        raise InputError(
            f"{path}, line {bare[0].line}: {bare[0].id} has no labels ({len(bare)} such rows of "
            f"{len(rows)}); every labelled sample needs at least one: complete or remove them"
        )


def _check_known(rows: Sequence[Row], label_ids: Sequence[str], path: Path) -> None:
    for row in rows:
        for label in row.labels or ():
            if label not in label_ids:
                raise InputError(
                    f"{path}, line {row.line}: {row.id} has the label {label!r}, which no training "
                    f"sample has; {suggestion(label, label_ids)}"
                )
