"""Groups that a source's own validation and test sets divide: refused, or admitted and counted."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmclf.data.problems import listed, shown
from mmclf.data.samples import Samples
from mmclf.errors import InputError

ADVICE = "mark each group for one part, or admit them by split.on_shared_group=warn"


def shared_groups(samples: Samples) -> tuple[NDArray[np.int64], ...]:
    """The rows of each group that stands in more than one of the source's own parts.

    Samples that the source keeps neither for validation nor for the test count as a part.
    """
    if not (samples.own_val | samples.own_test).any() or not samples.are_grouped:
        return ()
    part = samples.own_val + 2 * samples.own_test.astype(np.int64)
    order = np.argsort(samples.group_numbers, kind="stable")
    ends = np.cumsum(np.bincount(samples.group_numbers))
    starts = np.concatenate([[0], ends[:-1]])
    least, most = (of.reduceat(part[order], starts) for of in (np.minimum, np.maximum))
    return tuple(order[starts[group] : ends[group]] for group in np.flatnonzero(least < most))


def check_shared_groups(samples: Samples, on_shared_group: Literal["error", "warn"]) -> int:
    """The number of groups that the source's own parts divide; raises InputError on `error`."""
    divided = shared_groups(samples)
    if divided and on_shared_group == "error":
        raise InputError(
            f"{in_words(samples, divided)}; what a model has seen in training would be asked in "
            f"the test: {ADVICE}"
        )
    return len(divided)


def in_words(samples: Samples, divided: tuple[NDArray[np.int64], ...]) -> str:
    """The groups with some of their samples, as `2 groups stand in several parts: ...`."""
    names = samples.groups or tuple(image.name for image in samples.images)
    described = []
    for rows in divided:
        # One of each part first.
        _, first = np.unique(samples.own_val[rows] + 2 * samples.own_test[rows], return_index=True)
        where = [f"{shown(samples.ids[row])} in {_part(samples, row)}" for row in rows[first]]
        described.append(f"{shown(names[rows[0]])} ({', '.join(where)})")
    count = "1 group of samples that belong together stands"
    if len(divided) > 1:
        count = f"{len(divided)} groups of samples that belong together stand"
    return f"{count} in several of the source's own parts: {listed(described)}"


def _part(samples: Samples, row: int) -> str:
    return "val" if samples.own_val[row] else "test" if samples.own_test[row] else "the rest"
