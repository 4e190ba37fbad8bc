"""Test samples that runs have in common, so that runs can be paired by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Place = tuple[str, int]  # an arm's name and a seed
# Runs that lack more of a test set than this share have another one.
MOST_LACKING = 0.1


@dataclass(frozen=True)
class Decided:
    """What a run made of its test samples: ids (N,), labels (N, L), predicted sets (N, L)."""

    ids: NDArray[np.str_]
    labels: NDArray[np.uint8]
    predicted: NDArray[np.uint8]

    def on(self, ids: NDArray[np.str_]) -> Decided:
        """The same on these samples, all of which it has, in their order."""
        order = np.argsort(self.ids)
        rows = order[np.searchsorted(self.ids, ids, sorter=order)]
        return Decided(ids, self.labels[rows], self.predicted[rows])


def on_common_samples(
    tested: Mapping[Place, Decided], reference: Decided
) -> tuple[dict[Place, Decided], list[str]]:
    """The runs that can be paired, each on the samples that all of these have, and notes.

    `reference` is one of them. Together they may lack a tenth of its samples, as where one left out
    an image that cannot be read. One that lacks more, or has other labels, has another test set,
    and is left out.
    """
    # What all kept runs have, in the reference's order, which the resamples are drawn by.
    common = reference.ids
    kept: dict[Place, Decided] = {}
    for place, one in tested.items():
        shared = common[np.isin(common, one.ids)]
        enough = len(shared) >= (1 - MOST_LACKING) * max(len(one.ids), len(reference.ids))
        if enough and np.array_equal(one.on(shared).labels, reference.on(shared).labels):
            kept[place], common = one, shared
    paired = {place: one.on(common) for place, one in kept.items()}
    notes = []
    others = [place for place in tested if place not in paired]
    if others:
        notes.append(f"not compared, as their test set is another one: {named(others)}")
    most = max(len(one.ids) for one in kept.values())
    if len(common) < most:
        notes.append(
            f"intervals and differences are of the {len(common)} test samples that all runs have; "
            f"some runs have up to {most}, of which their means are"
        )
    return paired, notes


def named(places: Iterable[Place]) -> str:
    """The places in words, as `bce (seed 0), focal (seed 1)`."""
    return ", ".join(f"{arm} (seed {seed})" for arm, seed in places)
