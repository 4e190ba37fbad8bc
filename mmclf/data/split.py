"""Split: the indices of the samples that train, validate and test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
from numpy.typing import NDArray

from mmclf.errors import InputError

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Parts:
    """Ascending indices of three disjoint sets of samples that together are all of them."""

    train: Indices
    val: Indices
    test: Indices

    def __getitem__(self, name: str) -> Indices:
        """The part called `train`, `val` or `test`."""
        return dict(self.items())[name]

    def items(self) -> tuple[tuple[str, Indices], ...]:
        """The three parts by name."""
        return ("train", self.train), ("val", self.val), ("test", self.test)


def split(
    labels: NDArray[np.uint8],
    own_test: NDArray[np.bool_],
    *,
    val: float,
    test: float,
    seed: int,
    test_seed: int,
) -> Parts:
    """Parts of samples with `labels` (N, L), stratified by label.

    `val` and `test` are shares of the samples outside the source's own test set `own_test` (N,);
    where it has one, `test` is not used. `seed` decides train against val, `test_seed` the test
    set. Raises InputError if a part would be empty.
    """
    everything = np.arange(len(labels))
    if own_test.any():
        rest, held = everything[~own_test], everything[own_test]
        val_share = val
    else:
        rest, held = hold_out(labels, everything, test, test_seed)
        val_share = val / (1 - test)
    if val_share >= 1:
        raise InputError(
            f"split.val={val} and split.test={test} leave nothing to train on: their sum must be "
            "below 1"
        )
    train, validation = hold_out(labels, rest, val_share, seed)
    return Parts(train, validation, held)


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
        kept, held = next(splitter.split(indices, labels[indices]))
    # The stratification's sizes are approximate.
    if len(kept) == 0 or len(held) == 0:
        raise InputError(
            f"a share of {share:.3g} of {len(indices)} samples leaves a part of the split empty: "
            "give more samples, or other split.val and split.test"
        )
    return np.sort(indices[kept]), np.sort(indices[held])


def label_shares(labels: NDArray[np.uint8], parts: Parts) -> dict[str, NDArray[np.float64]]:
    """The share (L,) of samples with each label, by part."""
    return {name: labels[indices].mean(axis=0) for name, indices in parts.items()}
