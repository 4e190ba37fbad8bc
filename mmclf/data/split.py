"""Split: the indices of the samples that train, validate and test."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
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
    """Ascending indices of three disjoint sets of samples."""

    train: Indices
    val: Indices
    test: Indices

    def __getitem__(self, name: str) -> Indices:
        """The part called `train`, `val` or `test`."""
        return dict(self.items())[name]

    def items(self) -> tuple[tuple[str, Indices], ...]:
        """The three parts by name."""
        return ("train", self.train), ("val", self.val), ("test", self.test)

    def without(self, rows: Collection[int]) -> Parts:
        """The parts without some samples; raises InputError if nothing is left of one."""
        left = {name: np.setdiff1d(mine, [*rows]) for name, mine in self.items()}
        for name, mine in self.items():
            if len(left[name]) == 0:
                raise InputError(
                    f"none of the {len(mine)} samples of {name} is left without those whose image "
                    "cannot be read: replace the files"
                )
        return Parts(**left)


class PartsSerializer:
    """Parts in the store, an array of NumPy for each."""

    def write(self, parts: Parts, folder: Path) -> None:
        """Write them to `folder`."""
        for name, rows in parts.items():
            save_array(folder / f"{name}.npy", rows)

    def read(self, entry: Entry) -> Parts:
        """Read them back."""
        names = ("train", "val", "test")
        return Parts(*(load_array(entry.path(f"{name}.npy")) for name in names))


def stored_split(samples: Samples, store: Store, **settings: Any) -> StageResult[Parts]:
    """As `split` with these settings, drawn once."""
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
    """Parts of samples with `labels` (N, L), drawn by iterative stratification or at random.

    Where the source keeps samples of its own for validation or for the test, as `own_val` and
    `own_test` (N,) say, these are that part, and `val` or `test` is not used. Both are shares of
    the samples that the source does not keep so. `seed` decides train against val, `test_seed` the
    test set. Raises InputError if a part would be empty.
    """
    if (own_val & own_test).any():
        raise InputError(
            f"the source keeps {(own_val & own_test).sum()} samples both for validation and for "
            "the test; each must be in one part: mark them once"
        )
    rest = np.flatnonzero(~own_val & ~own_test)
    count = len(rest)
    if count == 0:
        raise InputError(
            f"the source keeps all {len(labels)} samples for validation and test, and none to "
            "train on: mark fewer"
        )
    left = 1.0
    held = {"val": np.flatnonzero(own_val), "test": np.flatnonzero(own_test)}
    for name, share, part_seed in (("test", test, test_seed), ("val", val, seed)):
        if len(held[name]) > 0:
            continue
        if share / left >= 1:
            raise InputError(
                f"split.val={val} and split.test={test} leave nothing to train on: their sum must "
                "be below 1"
            )
        if method == "random":
            rest, held[name] = draw(rest, round(share * count), part_seed)
        else:
            rest, held[name] = hold_out(labels, rest, share / left, part_seed)
        left = left - share
    return Parts(rest, held["val"], held["test"])


def draw(indices: Indices, count: int, seed: int) -> tuple[Indices, Indices]:
    """`indices` in two: those kept and `count` of them held out at random.

    Raises InputError if either would be empty.
    """
    if not 1 <= count < len(indices):
        raise InputError(
            f"to hold out {count} of {len(indices)} samples leaves a part of the split empty: "
            "give more samples, or other split.val and split.test"
        )
    held = np.zeros(len(indices), dtype=bool)
    held[np.random.default_rng(seed).permutation(len(indices))[:count]] = True
    return indices[~held], indices[held]


def hold_out(
    labels: NDArray[np.uint8], indices: Indices, share: float, seed: int
) -> tuple[Indices, Indices]:
    """`indices` in two: those kept and the `share` of them held out, by iterative stratification.

    Sechidis, Tsoumakas and Vlahavas, On the stratification of multi-label data, ECML PKDD 2011.
    Raises InputError if either would be empty.
    """
    kept = held = np.empty(0, dtype=np.int64)
    if 1 <= round(share * len(indices)) < len(indices):
        splitter = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=share, random_state=seed)
        chosen = labels[indices]
        # One label alone is no matrix of labels to it; to keep its share is to keep the others'.
        several = chosen if chosen.shape[1] > 1 else np.hstack([chosen, 1 - chosen])
        kept, held = next(splitter.split(indices, several))
    # The stratification's sizes are approximate.
    if len(kept) == 0 or len(held) == 0:
        raise _empty(share, len(indices))
    return np.sort(indices[kept]), np.sort(indices[held])


def _empty(share: float, count: int) -> InputError:
    return InputError(
        f"a share of {share:.3g} of {count} samples leaves a part of the split empty: "
        "give more samples, or other split.val and split.test"
    )


def label_shares(labels: NDArray[np.uint8], parts: Parts) -> dict[str, NDArray[np.float64]]:
    """The share (L,) of samples with each label, by part."""
    return {name: labels[indices].mean(axis=0) for name, indices in parts.items()}
