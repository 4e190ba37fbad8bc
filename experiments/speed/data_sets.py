"""The data that figures are measured on: the demo, and real data in the competition's layout."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figures import DEMO, REAL
from numpy.typing import NDArray
from sizes import Sizes

from mmclf.data.samples import Samples
from mmclf.data.sources import competition, demo
from mmclf.data.sources.competition_csv import read_rows, write_rows


@dataclass(frozen=True)
class DataSet:
    """Labelled samples, and all images and captions, those of the samples first.

    `overrides`: how a command names the data.
    """

    name: str
    samples: Samples
    paths: tuple[Path, ...]
    captions: tuple[str, ...]
    overrides: tuple[str, ...]


def demo_data(folder: Path, sizes: Sizes) -> DataSet:
    """The demo, generated below `folder`."""
    train, test = sizes.demo_train, sizes.demo_test
    samples = demo.load(str(folder), train=train, test=test)
    overrides = ("data=demo", _at(folder), f"data.train={train}", f"data.test={test}")
    return DataSet(DEMO, samples, _paths(samples), samples.captions, overrides)


def real_data(root: Path, folder: Path, sizes: Sizes) -> DataSet:
    """The data in `root`; where only some rows are wanted, a copy of them below `folder`."""
    if sizes.real_rows is not None:
        _copy(root, folder, sizes.real_rows)
        root = folder
    samples = competition.load(str(root))
    known = set(_paths(samples))
    more = sorted(path for path in (root / "data").glob("*.jpg") if path not in known)
    unlabelled = root / "test.csv"
    further = [row.caption for row in read_rows(unlabelled)] if unlabelled.is_file() else []
    return DataSet(
        REAL,
        samples,
        (*_paths(samples), *more),
        (*samples.captions, *further),
        ("data=competition", _at(root)),
    )


def _paths(samples: Samples) -> tuple[Path, ...]:
    return tuple(image for image in samples.images if isinstance(image, Path))


def evenly(count: int, wanted: int) -> NDArray[np.int64]:
    """At most `wanted` of the rows 0 to `count`, evenly spaced."""
    return np.linspace(0, count - 1, min(wanted, count)).astype(np.int64)


def _at(root: Path) -> str:
    return f"data.root='{root}'"


def _copy(root: Path, folder: Path, count: int) -> None:
    rows = read_rows(root / "train.csv")[:count]
    (folder / "data").mkdir(parents=True)
    write_rows(folder / "train.csv", [(row.id, row.labels, row.caption) for row in rows])
    for row in rows:
        shutil.copy(root / "data" / row.id, folder / "data" / row.id)
