"""Test samples that runs have in common, so that runs can be paired by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.run_key import RunKey, in_words
from mmclf.studies.statistics.bootstrap import count_groups

Array = TypeVar("Array", bound=NDArray[Any])
# Runs that lack more of a test set than this share have another one.
MOST_LACKING = 0.1


@dataclass(frozen=True)
class Decided:
    """What a run made of its test samples: ids, groups (N,), labels (N, L), predicted (N, L).

    `beside`: the label sets (N, L) by other rules than the deciding one's, by the metrics' keys.
    `probabilities` (N, L), where they are of use and held.
    """

    ids: NDArray[np.str_]
    groups: NDArray[np.int64]
    labels: NDArray[np.uint8]
    predicted: NDArray[np.uint8]
    beside: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)
    probabilities: NDArray[np.float64] | None = None

    def sharing(self, other: Decided) -> Decided:
        """The same, with the other's arrays where both have equal ones, so that one is held."""

        def shared(mine: Array, theirs: Array) -> Array:
            return theirs if np.array_equal(mine, theirs) else mine

        return replace(
            self,
            ids=shared(self.ids, other.ids),
            groups=shared(self.groups, other.groups),
            labels=shared(self.labels, other.labels),
            beside={key: shared(of, self.predicted) for key, of in self.beside.items()},
        )

    def on(self, ids: NDArray[np.str_]) -> Decided:
        """The same on these samples, all of which it has, in their order."""
        if np.array_equal(ids, self.ids):
            return self
        order = np.argsort(self.ids)
        rows = order[np.searchsorted(self.ids, ids, sorter=order)]
        return Decided(
            ids,
            self.groups[rows],
            self.labels[rows],
            self.predicted[rows],
            {key: predicted[rows] for key, predicted in self.beside.items()},
            None if self.probabilities is None else self.probabilities[rows],
        )


def on_common_samples(
    decided: Mapping[RunKey, Decided], reference: Decided
) -> tuple[dict[RunKey, Decided], list[str]]:
    """The runs that can be paired, each on the samples that all of these have, and notes.

    `reference` is one of them. Together they may lack a tenth of its samples, as where one left out
    an image that cannot be read. One that lacks more, or has other labels, has another test set,
    and is left out.
    """
    # What all kept runs have, in the reference's order, which the resamples are drawn by.
    common = reference.ids
    kept: dict[RunKey, Decided] = {}
    for key, run in decided.items():
        shared = common[np.isin(common, run.ids)]
        enough = len(shared) >= (1 - MOST_LACKING) * max(len(run.ids), len(reference.ids))
        if enough and np.array_equal(run.on(shared).labels, reference.on(shared).labels):
            kept[key], common = run, shared
    notes = []
    others = [key for key in decided if key not in kept]
    if others:
        notes.append(f"not compared, as their test set is another one: {in_words(others)}")
    most = max(len(run.ids) for run in kept.values())
    if len(common) < most:
        notes.append(
            f"intervals and differences are of the {len(common)} test samples that all runs have; "
            f"some runs have up to {most}, of which their means are"
        )
    return {key: run.on(common) for key, run in kept.items()}, notes


def largest_groups(runs: Sequence[Decided]) -> NDArray[np.int64]:
    """The groups (N,) of the same N samples, of the run that tells the fewest of them.

    One that was tracked before samples had groups tells each sample as its own.
    """
    return min((run.groups for run in runs), key=count_groups)
