"""Which samples are alike, by caption or by picture, and where that matters."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from mmclf.data.images import Pictures
from mmclf.data.split import Parts

EVERY = 16  # one in so many lines of a picture is looked at first

# Each group holds the indices of two or more samples, ascending, as do the groups by their first.
Groups = tuple[tuple[int, ...], ...]


def same_captions(captions: Sequence[str]) -> Groups:
    """The samples whose captions differ in white space and case at most; empty ones are left out.

    Case as Unicode folds it (The Unicode Standard, section 3.13).
    """
    normalised = (" ".join(caption.split()).casefold() for caption in captions)
    return _same(caption if caption else None for caption in normalised)


def same_pictures(pictures: Pictures, without: Collection[int] = ()) -> Groups:
    """The rows of `pictures` (N, H, W, 3) that show the same, pixel by pixel.

    Equal files are among them. Rows in `without` are not compared.
    """
    # To read every line of every picture takes long: the few that agree in some are compared whole.
    sums = _same(
        None if row in without else zlib.crc32(picture[::EVERY].tobytes())
        for row, picture in enumerate(pictures)
    )
    groups = [
        tuple(alike[i] for i in group)
        for alike in sums
        for group in _same(pictures[row].tobytes() for row in alike)
    ]
    return tuple(sorted(groups))


def _same(keys: Iterable[Hashable | None]) -> Groups:
    """The places of equal keys that stand more than once; None is no key."""
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        if key is not None:
            places[key].append(place)
    return tuple(tuple(found) for found in places.values() if len(found) > 1)


def straddling(groups: Groups, parts: Parts) -> Groups:
    """The groups with samples in more than one part."""
    part_of = {int(i): name for name, rows in parts.items() for i in rows}
    return tuple(group for group in groups if len({part_of[i] for i in group if i in part_of}) > 1)


def labelled_apart(groups: Groups, labels: NDArray[np.uint8]) -> Groups:
    """The groups whose samples differ in their `labels` (N, L)."""
    return tuple(group for group in groups if (labels[[*group]] != labels[group[0]]).any())


def seen_in_training(groups: Groups, parts: Parts, part: str) -> tuple[int, ...]:
    """The samples of `part` that are in a group with a training sample, ascending."""
    train = set(parts.train.tolist())
    twins = {i for group in groups if not train.isdisjoint(group) for i in group}
    return tuple(int(i) for i in parts[part] if int(i) in twins)
