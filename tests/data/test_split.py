from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmclf.data.split import Parts, hold_out, label_shares, split
from mmclf.errors import InputError

Labels = NDArray[np.uint8]
SHARES = {"train": 0.8, "val": 0.1, "test": 0.1}


def random_labels(seed: int, samples: int, labels: int) -> Labels:
    """Labels whose rates run from 1 in 200 to most samples, some of them tied to others."""
    generator = np.random.default_rng(seed)
    rates = np.exp(generator.uniform(np.log(0.005), np.log(0.7), labels))
    drawn = (generator.random((samples, labels)) < rates).astype(np.uint8)
    drawn[:, -1] &= drawn[:, 0]
    return drawn


def split_of(labels: Labels, own_test: NDArray[np.bool_] | None = None, **given: float) -> Parts:
    own = np.zeros(len(labels), dtype=bool) if own_test is None else own_test
    wanted = {"val": 0.1, "test": 0.1, "seed": 0, "test_seed": 0} | given
    return split(
        labels,
        own,
        val=wanted["val"],
        test=wanted["test"],
        seed=int(wanted["seed"]),
        test_seed=int(wanted["test_seed"]),
    )


def assert_complete(parts: Parts, samples: int) -> None:
    together = np.concatenate([rows for _, rows in parts.items()])
    assert sorted(together.tolist()) == list(range(samples))
    assert all((np.diff(rows) > 0).all() for _, rows in parts.items())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**20), st.integers(300, 900), st.integers(2, 18))
def test_parts_are_disjoint_complete_and_stratified(seed: int, samples: int, labels: int) -> None:
    matrix = random_labels(seed, samples, labels)
    parts = split_of(matrix, seed=seed)
    assert_complete(parts, samples)
    frequent = matrix.sum(axis=0) >= 10
    for name, rows in parts.items():
        assert len(rows) == pytest.approx(SHARES[name] * samples, abs=0.03 * samples)
        assert matrix[rows][:, frequent].any(axis=0).all()
        # The rarest labels are shared first, and now and then a frequent one pays for it.
        off = np.abs(matrix[rows].mean(axis=0) - matrix.mean(axis=0))
        assert np.median(off) <= 0.03
        assert off.max() <= 0.25


def test_rates_of_labels_are_mostly_off_by_less_than_a_sample() -> None:
    off = []
    for seed in range(30):
        matrix = random_labels(seed, 600, 10)
        parts = split_of(matrix, seed=seed)
        for rows in (parts.val, parts.test):
            rates = np.abs(matrix[rows].mean(axis=0) - matrix.mean(axis=0))
            off.append(len(rows) * rates.max())
    assert np.quantile(off, 0.8) < 1


def test_a_rare_label_alone_is_shared_as_the_samples_are() -> None:
    labels = np.zeros((1000, 2), dtype=np.uint8)
    labels[:, 0] = 1
    labels[:20, 1] = 1
    parts = split_of(labels)
    counts = {name: int(labels[rows, 1].sum()) for name, rows in parts.items()}
    assert counts == {"train": 16, "val": 2, "test": 2}


def test_the_seed_decides_train_against_val_alone() -> None:
    labels = random_labels(1, 400, 6)
    first, again, other = split_of(labels), split_of(labels), split_of(labels, seed=1)
    for (_, one), (_, two) in zip(first.items(), again.items(), strict=True):
        assert one.tolist() == two.tolist()
    assert first.test.tolist() == other.test.tolist()
    assert first.val.tolist() != other.val.tolist()
    assert_complete(other, 400)


def test_the_test_seed_decides_the_test_set() -> None:
    labels = random_labels(1, 400, 6)
    assert split_of(labels).test.tolist() != split_of(labels, test_seed=1).test.tolist()


def test_an_own_test_set_is_the_test_set() -> None:
    labels = random_labels(2, 500, 6)
    own_test = np.arange(500) % 5 == 0
    parts = split_of(labels, own_test, test=0.7)
    assert parts.test.tolist() == np.flatnonzero(own_test).tolist()
    assert_complete(parts, 500)
    # `val` is a share of what is not the test set: of 400.
    assert len(parts.val) == pytest.approx(40, abs=8)
    assert parts.test.tolist() == split_of(labels, own_test, seed=9, test_seed=9).test.tolist()


def test_val_is_a_share_of_all_samples() -> None:
    parts = split_of(random_labels(3, 1000, 4), val=0.3, test=0.4)
    assert len(parts.val) == pytest.approx(300, abs=20)
    assert len(parts.test) == pytest.approx(400, abs=20)


@pytest.mark.parametrize(("samples", "empty"), [(4, True), (6, False), (10, False)])
def test_too_few_samples_for_every_part(samples: int, empty: bool) -> None:
    labels = np.ones((samples, 2), dtype=np.uint8)
    if not empty:
        return assert_complete(split_of(labels), samples)
    with pytest.raises(
        InputError, match=r"a share of 0\.1 of 4 samples leaves a part .* empty: give"
    ):
        split_of(labels)
    return None


@pytest.mark.parametrize("share", [0.04, 0.96])
def test_neither_side_may_be_empty(share: float) -> None:
    labels = np.ones((10, 2), dtype=np.uint8)
    with pytest.raises(InputError, match="leaves a part of the split empty"):
        hold_out(labels, np.arange(10), share, 0)


def test_shares_that_leave_no_training() -> None:
    with pytest.raises(InputError, match=r"split\.val=0\.5 and split\.test=0\.5 leave nothing"):
        split_of(random_labels(0, 50, 3), val=0.5, test=0.5)


def test_held_out_rows_are_of_the_given_ones() -> None:
    given = np.array([3, 5, 8, 13, 21, 34])
    kept, held = hold_out(np.ones((40, 2), dtype=np.uint8), given, 0.34, 0)
    assert sorted([*kept, *held]) == given.tolist()
    assert len(held) in (2, 3)


def test_label_shares_by_part() -> None:
    labels = np.array([[1, 0], [1, 1], [0, 1], [1, 0]], dtype=np.uint8)
    shares = label_shares(labels, Parts(np.array([0, 1]), np.array([2]), np.array([3])))
    assert {name: values.tolist() for name, values in shares.items()} == {
        "train": [1.0, 0.5],
        "val": [0.0, 1.0],
        "test": [1.0, 0.0],
    }
