"""Samples: the one form that every data source becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import InputError

LISTED = 5


@dataclass(frozen=True)
class Samples:
    """N images with captions and label sets over L labels.

    `labels` (N, L) is 0 or 1; column j is the label `label_ids[j]` of the source, called
    `label_names[j]`. `own_test` (N,) marks the samples that the source itself keeps for the test.
    """

    ids: tuple[str, ...]
    images: tuple[Path, ...]
    captions: tuple[str, ...]
    labels: NDArray[np.uint8]
    label_ids: tuple[str, ...]
    label_names: tuple[str, ...]
    own_test: NDArray[np.bool_]

    def __len__(self) -> int:
        """N."""
        return len(self.ids)


def check_images(ids: Sequence[str], images: Sequence[Path]) -> None:
    """Raise InputError that counts and lists the images that are not there."""
    folders = {folder: _names(folder) for folder in {image.parent for image in images}}
    missing = [
        i for i, image in zip(ids, images, strict=True) if image.name not in folders[image.parent]
    ]
    if missing:
        more = f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
        raise InputError(
            f"{len(missing)} of {len(images)} images are not in {images[0].parent}: "
            f"{', '.join(missing[:LISTED])}{more}"
        )


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()


def check_unique(ids: Sequence[str], where: Path, what: str = "id") -> None:
    """Raise InputError that names the first id, or other `what`, that stands twice."""
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise InputError(f"{where}: the {what} {one} stands twice; each must be its own")
        seen.add(one)


def label_matrix(
    label_sets: Sequence[Sequence[str]], label_ids: Sequence[str]
) -> NDArray[np.uint8]:
    """The label sets as a matrix (N, L) of 0 and 1, a column for each of `label_ids`."""
    column = {label: j for j, label in enumerate(label_ids)}
    matrix = np.zeros((len(label_sets), len(label_ids)), dtype=np.uint8)
    for i, labels in enumerate(label_sets):
        for label in labels:
            matrix[i, column[label]] = 1
    return matrix


def sorted_labels(labels: set[str]) -> tuple[str, ...]:
    """Label ids in ascending order: as numbers if all of them are, else as words."""
    if all(label.isdecimal() for label in labels):
        return tuple(sorted(labels, key=int))
    return tuple(sorted(labels))
