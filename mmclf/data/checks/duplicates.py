"""Duplicates: groups of samples with equal captions or images, and which of them matter."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mmclf.data.images import Pictures
from mmclf.data.split import Parts

LINE_STEP = 16  # every LINE_STEP-th line of an image is compared first

# Each group holds two or more row numbers in ascending order; groups are ordered by their first.
Groups = tuple[tuple[int, ...], ...]


def same_captions(captions: Sequence[str]) -> Groups:
    """Groups of captions that are equal up to white space and case, without empty ones.

    Case is folded as in The Unicode Standard, section 3.13.
    """
    normalised = (" ".join(caption.split()).casefold() for caption in captions)
    return _equal(caption if caption else None for caption in normalised)


def same_pictures(pictures: Pictures, excluded: Collection[int] = ()) -> Groups:
    """Groups of rows of `pictures` (N, H, W, 3) with equal pixels, without the `excluded` rows."""
    # Reading all lines of all images takes long: only those that agree in some are read whole.
    candidates = _equal(
        None if row in excluded else zlib.crc32(picture[::LINE_STEP].tobytes())
        for row, picture in enumerate(pictures)
    )
    groups = [
        tuple(rows[i] for i in group)
        for rows in candidates
        for group in _equal(pictures[row].tobytes() for row in rows)
    ]
    return tuple(sorted(groups))


def _equal(keys: Iterable[Hashable | None]) -> Groups:
    """Groups of rows with equal keys; rows whose key is None are left out."""
    rows_of: defaultdict[Hashable, list[int]] = defaultdict(list)
    for row, key in enumerate(keys):
        if key is not None:
            rows_of[key].append(row)
    return tuple(tuple(rows) for rows in rows_of.values() if len(rows) > 1)


def in_several_parts(groups: Groups, parts: Parts) -> Groups:
    """The groups with samples in more than one part of the split."""
    part_of = {int(i): name for name, rows in parts.items() for i in rows}
    return tuple(group for group in groups if len({part_of[i] for i in group if i in part_of}) > 1)


def with_different_labels(groups: Groups, labels: NDArray[np.uint8]) -> Groups:
    """The groups whose samples have different `labels` (N, L)."""
    return tuple(group for group in groups if (labels[[*group]] != labels[group[0]]).any())


def also_in_training(groups: Groups, parts: Parts, part: str) -> tuple[int, ...]:
    """The samples of `part` that share a group with a training sample, ascending."""
    train = set(parts.train.tolist())
    duplicates = {i for group in groups if not train.isdisjoint(group) for i in group}
    return tuple(int(i) for i in parts[part] if int(i) in duplicates)
