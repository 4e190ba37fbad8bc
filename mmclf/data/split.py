"""Split of samples into training, validation and test sets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmclf.data.grouped import Grouped, Mask
from mmclf.data.rebalance import Division
from mmclf.data.samples import Samples
from mmclf.data.stratify import stratified
from mmclf.errors import InputError
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry, Stage
from mmclf.storage.store.hashing import array_digest
from mmclf.storage.store.stage_result import Computed, StageResult
from mmclf.storage.store.store import Store

Indices = NDArray[np.int64]
VERSION = 2
SIZE_TOLERANCE = 0.02  # of all samples that are divided: by this a part may miss its size


@dataclass(frozen=True)
class Parts:
    """Ascending row numbers of three disjoint sets of samples."""

    train: Indices
    val: Indices
    test: Indices

    def __getitem__(self, name: str) -> Indices:
        """The part named `train`, `val` or `test`."""
        return dict(self.items())[name]

    def items(self) -> tuple[tuple[str, Indices], ...]:
        """The three parts by name."""
        return ("train", self.train), ("val", self.val), ("test", self.test)

    def without(self, excluded: Collection[int]) -> Parts:
        """The parts without the `excluded` rows; raises InputError if a part would be empty."""
        remaining = {name: np.setdiff1d(rows, [*excluded]) for name, rows in self.items()}
        for name, rows in self.items():
            if len(remaining[name]) == 0:
                raise InputError(
                    f"none of the {len(rows)} samples of {name} is left without those whose image "
                    "cannot be read: replace the files"
                )
        return Parts(**remaining)


class PartsSerializer:
    """Stores parts as NumPy arrays."""

    def write(self, parts: Parts, folder: Path) -> None:
        """Write parts to `folder`."""
        for name, rows in parts.items():
            save_array(folder / f"{name}.npy", rows)

    def read(self, entry: Entry) -> Parts:
        """Read parts from an entry."""
        names = ("train", "val", "test")
        return Parts(*(load_array(entry.path(f"{name}.npy")) for name in names))


def stored_split(samples: Samples, store: Store, **settings: Any) -> StageResult[Parts]:
    """`split` with these settings, read from the store if it was computed before."""
    arguments = {
        "labels": array_digest(samples.labels),
        "own_val": array_digest(samples.own_val),
        "own_test": array_digest(samples.own_test),
        **settings,
    }
    groups = samples.group_numbers if samples.are_grouped else None
    if groups is not None:
        arguments["groups"] = array_digest(groups)

    def compute() -> Computed[Parts]:
        clock = Stopwatch()
        parts = split(samples.labels, samples.own_val, samples.own_test, groups, **settings)
        return Computed(parts, clock.elapsed(), len(samples))

    return store.get_or_compute(Stage("split", VERSION, arguments), PartsSerializer(), compute)


def asked_sizes(
    own_val: NDArray[np.bool_], own_test: NDArray[np.bool_], *, val: float, test: float
) -> dict[str, int]:
    """The number of samples that `split` is asked to put into each part."""
    own = {"val": int(own_val.sum()), "test": int(own_test.sum())}
    free = len(own_val) - own["val"] - own["test"]
    shares = {"val": val, "test": test}
    drawn = {name: round(shares[name] * free) for name in own if own[name] == 0}
    return {"train": free - sum(drawn.values()), **own, **drawn}


def split(
    labels: NDArray[np.uint8],
    own_val: NDArray[np.bool_],
    own_test: NDArray[np.bool_],
    groups: NDArray[np.int64] | None = None,
    *,
    val: float,
    test: float,
    seed: int,
    test_seed: int,
    method: Literal["iterative", "random"] = "iterative",
) -> Parts:
    """Split samples into parts by iterative stratification or at random, each group in one part.

    A validation or test set of the source's own becomes that part, and `val` or `test` is ignored;
    a group that it divides stays divided. A part that is drawn has the size asked for, up to
    `SIZE_TOLERANCE` or a group. Raises InputError if a part would be empty.

    Args:
        labels: (N, L) of 0 and 1.
        own_val: (N,) the samples of the source's own validation set.
        own_test: (N,) the samples of the source's own test set.
        groups: (N,) numbers of the groups; None if each sample is its own.
        val: share of the validation set in the samples that belong to no set of the source's own.
        test: share of the test set in the same samples.
        seed: of the split between training and validation.
        test_seed: of the test set.
        method: `iterative` stratification or `random`.

    """
    free = _free_rows(own_val, own_test)
    grouped = Grouped.of(labels[free], groups[free] if groups is not None else None)
    parts = {"val": np.flatnonzero(own_val), "test": np.flatnonzero(own_test)}
    left, remaining = 1.0, np.arange(len(grouped))  # the share, and the groups, not held out
    for name, share, part_seed in (("test", test, test_seed), ("val", val, seed)):
        if len(parts[name]) > 0:
            continue
        if share / left >= 1:
            raise InputError(
                f"split.val={val} and split.test={test} leave nothing to train on: their sum must "
                "be below 1"
            )
        among = grouped[remaining]
        wanted = share * len(free)
        if method == "random":
            held = hold_out_random(among, round(wanted), part_seed)
        else:
            # The size of what is left counts, too: the test set may have taken more or less.
            surplus = among.sizes.sum() - left * len(free)
            tolerance = max(SIZE_TOLERANCE * len(free), grouped.sizes.min())
            bounds = _bounds(wanted, surplus, tolerance)
            held = hold_out_stratified(among, share / left, part_seed, bounds)
        parts[name] = free[grouped.rows(remaining[held])]
        remaining = remaining[~held]
        left = left - share
    return Parts(free[grouped.rows(remaining)], parts["val"], parts["test"])


def _free_rows(own_val: Mask, own_test: Mask) -> NDArray[np.intp]:
    """The samples in none of the source's own sets; raises InputError if there is none."""
    if (own_val & own_test).any():
        raise InputError(
            f"the source keeps {(own_val & own_test).sum()} samples both for validation and for "
            "the test; each must be in one part: mark them once"
        )
    free = np.flatnonzero(~own_val & ~own_test)
    if len(free) == 0:
        raise InputError(
            f"the source keeps all {len(own_val)} samples for validation and test, and none to "
            "train on: mark fewer"
        )
    return free


def _bounds(wanted: float, surplus: float, tolerance: float) -> tuple[float, float]:
    """The least and the most samples of a part, where so many more are there than expected."""
    return wanted + max(surplus, 0.0) - tolerance, wanted + min(surplus, 0.0) + tolerance


def hold_out_random(groups: Grouped, count: int, seed: int) -> Mask:
    """Which of G groups are held out (G,), of a random order each that brings `count` closer.

    Raises InputError if a side would be empty.
    """
    sizes = groups.sizes.tolist()
    if not 1 <= count < sum(sizes) or len(groups) < 2:
        raise _empty_part(f"to hold out {count}", groups)
    chosen: list[int] = []
    lacking = count
    for group in np.random.default_rng(seed).permutation(len(groups)).tolist():
        if sizes[group] < 2 * lacking and len(chosen) < len(groups) - 1:
            chosen.append(group)
            lacking -= sizes[group]
    held = np.zeros(len(groups), dtype=np.bool_)
    held[chosen or [int(groups.sizes.argmin())]] = True
    return held


def hold_out_stratified(
    groups: Grouped, share: float, seed: int, bounds: tuple[float, float]
) -> Mask:
    """Which of G groups are held out (G,) by iterative stratification.

    Labels that only the held-out groups have are brought back, and so is the size if it is off.
    Raises InputError if a side would be empty.

    Args:
        groups: to divide.
        share: of the samples that are held out.
        seed: of the stratification.
        bounds: between which their number may be.

    """
    wanted = share * groups.sizes.sum()
    if not 1 <= round(wanted) < groups.sizes.sum() or len(groups) < 2:
        raise _empty_part(f"a share of {share:.3g}", groups)
    # The complement of a single label is a second one, and tells how many samples have neither.
    if groups.counts.shape[1] == 1:
        complement = groups.sizes[:, None] - groups.counts
        groups = replace(groups, counts=np.hstack([groups.counts, complement]))
    division = Division(groups, stratified(groups, share, seed), wanted, seed)
    division.keep_labels()
    division.resize(bounds)
    return division.held


def _empty_part(asked: str, groups: Grouped) -> InputError:
    count = groups.sizes.sum()
    belonging = f" in {len(groups)} groups" if len(groups) < count else ""
    return InputError(
        f"{asked} of {count} samples{belonging} leaves a part of the split empty: give more "
        "samples, or other split.val and split.test"
    )


def label_shares(labels: NDArray[np.uint8], parts: Parts) -> dict[str, NDArray[np.float64]]:
    """The share (L,) of samples with each label, for each part."""
    return {name: labels[indices].mean(axis=0) for name, indices in parts.items()}
