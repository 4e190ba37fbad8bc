"""Samples: the common form of all data sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mmclf.data.image_locations import ImageLocation, ParquetCell


@dataclass(frozen=True)
class Samples:
    """N images with captions and label sets over L labels.

    Args:
        ids: unique.
        images: paths, of files that need not exist, or cells of Parquet files that hold the bytes;
            empty for a source without images.
        captions: empty strings for a source without captions.
        labels: (N, L) of 0 and 1.
        label_ids: of the L columns, as in the source.
        label_names: of the L columns, for people.
        own_val: (N,) the samples of the source's own validation set.
        own_test: (N,) the samples of the source's own test set.
        groups: names; samples of one group belong together, as the captions of one image, and no
            part divides them. Empty: a group for each image, or without images for each sample.
        notes: for people, what the source left out or took otherwise than it is written.
        other_captions: of each sample the captions after the first, for data.caption_use=each; or
            empty.

    A data source is a function that returns them, as here of two captions without images:

    >>> samples = Samples(
    ...     ids=("a", "b"),
    ...     images=(),
    ...     captions=("a dog on a bench", "two cats"),
    ...     labels=label_matrix([["dog", "bench"], ["cat"]], ["bench", "cat", "dog"]),
    ...     label_ids=("bench", "cat", "dog"),
    ...     label_names=("bench", "cat", "dog"),
    ...     own_val=np.zeros(2, dtype=np.bool_),
    ...     own_test=np.array([False, True]),
    ... )
    >>> len(samples), samples.labels.tolist(), samples.group_numbers.tolist()
    (2, [[1, 0, 1], [0, 1, 0]], [0, 1])

    """

    ids: tuple[str, ...]
    images: tuple[ImageLocation, ...]
    captions: tuple[str, ...]
    labels: NDArray[np.uint8]
    label_ids: tuple[str, ...]
    label_names: tuple[str, ...]
    own_val: NDArray[np.bool_]
    own_test: NDArray[np.bool_]
    groups: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    other_captions: tuple[tuple[str, ...], ...] = ()

    def __len__(self) -> int:
        """The number of samples N."""
        return len(self.ids)

    @property
    def has_unlabelled(self) -> bool:
        """Whether a sample has none of the labels."""
        return not bool(self.labels.any(axis=1).all())

    @cached_property
    def group_numbers(self) -> NDArray[np.int64]:
        """The group (N,) of each sample, numbered from 0 in the order in which they appear."""
        names = self.groups or tuple(map(_group_name, self.images)) or self.ids
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        return np.array([numbers[name] for name in names], dtype=np.int64)

    @property
    def caption_counts(self) -> NDArray[np.int64]:
        """How many captions (N,) each sample has; one where it has an empty one."""
        if not self.other_captions:
            return np.ones(len(self), dtype=np.int64)
        return np.array([1 + len(others) for others in self.other_captions], dtype=np.int64)

    def captions_of(self, row: int) -> tuple[str, ...]:
        """All captions of a sample."""
        others = self.other_captions[row] if self.other_captions else ()
        return (self.captions[row], *others)

    def caption_view(self, number: int) -> tuple[str, ...]:
        """Caption `number` (from 0) of each sample; one with fewer starts again at its first."""
        if not self.other_captions:
            return self.captions
        captions = map(self.captions_of, range(len(self)))
        return tuple(own[number % len(own)] for own in captions)

    @property
    def are_grouped(self) -> bool:
        """Whether a group has more than one sample."""
        return len(self) > 0 and int(self.group_numbers.max()) + 1 < len(self)


def _group_name(image: ImageLocation) -> str:
    # Rows of one image have its bytes each, and its name.
    return image.name if isinstance(image, ParquetCell) and image.name else str(image)


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
    """Label ids in ascending order: as numbers if all of them are, else as strings."""
    if all(label.isascii() and label.isdigit() for label in labels):
        return tuple(sorted(labels, key=_as_number))
    return tuple(sorted(labels))


def _as_number(label: str) -> tuple[int, str, str]:
    # Python refuses to convert thousands of digits to a number; 01 and 1 are the same number.
    digits = label.lstrip("0")
    return len(digits), digits, label
