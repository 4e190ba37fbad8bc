"""Split of samples into training, validation and test sets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmclf.data.samples import Samples
from mmclf.errors import InputError
from mmclf.storage.stopwatch import Stopwatch
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry, Stage
from mmclf.storage.store.hashing import array_digest
from mmclf.storage.store.store import Computed, StageResult, Store

Indices = NDArray[np.int64]
VERSION = 1


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

    def compute() -> Computed[Parts]:
        clock = Stopwatch()
        parts = split(samples.labels, samples.own_val, samples.own_test, **settings)
        return Computed(parts, clock.elapsed(), len(samples))

    return store.get_or_compute(Stage("split", VERSION, arguments), PartsSerializer(), compute)


def split(
    labels: NDArray[np.uint8],
    own_val: NDArray[np.bool_],
    own_test: NDArray[np.bool_],
    *,
    val: float,
    test: float,
    seed: int,
    test_seed: int,
    method: Literal["iterative", "random"] = "iterative",
) -> Parts:
    """Split samples into parts by iterative stratification or at random.

    A validation or test set of the source's own becomes that part, and `val` or `test` is ignored.
    Raises InputError if a part would be empty.

    Args:
        labels: (N, L) of 0 and 1.
        own_val: (N,) the samples of the source's own validation set.
        own_test: (N,) the samples of the source's own test set.
        val: share of the validation set in the samples that belong to no set of the source's own.
        test: share of the test set in the same samples.
        seed: of the split between training and validation.
        test_seed: of the test set.
        method: `iterative` stratification or `random`.

    """
    if (own_val & own_test).any():
        raise InputError(
            f"the source keeps {(own_val & own_test).sum()} samples both for validation and for "
            "the test; each must be in one part: mark them once"
        )
    remaining = np.flatnonzero(~own_val & ~own_test)
    count = len(remaining)
    if count == 0:
        raise InputError(
            f"the source keeps all {len(labels)} samples for validation and test, and none to "
            "train on: mark fewer"
        )
    left = 1.0
    held_out = {"val": np.flatnonzero(own_val), "test": np.flatnonzero(own_test)}
    for name, share, part_seed in (("test", test, test_seed), ("val", val, seed)):
        if len(held_out[name]) > 0:
            continue
        if share / left >= 1:
            raise InputError(
                f"split.val={val} and split.test={test} leave nothing to train on: their sum must "
                "be below 1"
            )
        if method == "random":
            remaining, held_out[name] = hold_out_random(remaining, round(share * count), part_seed)
        else:
            remaining, held_out[name] = hold_out_stratified(
                labels, remaining, share / left, part_seed
            )
        left = left - share
    return Parts(remaining, held_out["val"], held_out["test"])


def hold_out_random(indices: Indices, count: int, seed: int) -> tuple[Indices, Indices]:
    """Divide `indices` at random into the kept ones and `count` held-out ones.

    Raises InputError if either would be empty.
    """
    if not 1 <= count < len(indices):
        raise InputError(
            f"to hold out {count} of {len(indices)} samples leaves a part of the split empty: "
            "give more samples, or other split.val and split.test"
        )
    is_held = np.zeros(len(indices), dtype=bool)
    is_held[np.random.default_rng(seed).permutation(len(indices))[:count]] = True
    return indices[~is_held], indices[is_held]


def hold_out_stratified(
    labels: NDArray[np.uint8], indices: Indices, share: float, seed: int
) -> tuple[Indices, Indices]:
    """Divide `indices` by iterative stratification into the kept ones and a held-out `share`.

    Sechidis, Tsoumakas and Vlahavas, On the stratification of multi-label data, ECML PKDD 2011.
    Raises InputError if either would be empty.
    """
    kept = held = np.empty(0, dtype=np.int64)
    if 1 <= round(share * len(indices)) < len(indices):
        # Imported here, as in metrics and in hub: scikit-learn, SciPy and the hub's client together
        # are 1.0 s of the 3.9 s of a run whose results are stored (medians of five on 2 cores).
        from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

        splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=share, random_state=seed)
        selected = labels[indices]
        # The splitter does not accept a single column; its complement adds no constraint.
        stratified = selected if selected.shape[1] > 1 else np.hstack([selected, 1 - selected])
        kept, held = next(splitter.split(indices, stratified))
    # The stratification's sizes are approximate.
    if len(kept) == 0 or len(held) == 0:
        raise _empty_part(share, len(indices))
    return np.sort(indices[kept]), np.sort(indices[held])


def _empty_part(share: float, count: int) -> InputError:
    return InputError(
        f"a share of {share:.3g} of {count} samples leaves a part of the split empty: "
        "give more samples, or other split.val and split.test"
    )


def label_shares(labels: NDArray[np.uint8], parts: Parts) -> dict[str, NDArray[np.float64]]:
    """The share (L,) of samples with each label, for each part."""
    return {name: labels[indices].mean(axis=0) for name, indices in parts.items()}
