from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from message_facts import Naming
from numpy.typing import NDArray

from mmclf.data.grouped import Grouped
from mmclf.data.split import Parts, hold_out_random, hold_out_stratified, label_shares, split
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


def split_of(
    labels: Labels,
    own_test: NDArray[np.bool_] | None = None,
    own_val: NDArray[np.bool_] | None = None,
    method: Literal["iterative", "random"] = "iterative",
    **given: float,
) -> Parts:
    none = np.zeros(len(labels), dtype=bool)
    wanted = {"val": 0.1, "test": 0.1, "seed": 0, "test_seed": 0} | given
    return split(
        labels,
        own_val if own_val is not None else none,
        own_test if own_test is not None else none,
        method=method,
        val=wanted["val"],
        test=wanted["test"],
        seed=int(wanted["seed"]),
        test_seed=int(wanted["test_seed"]),
    )


def assert_complete(parts: Parts, samples: int) -> None:
    together = np.concatenate([rows for _, rows in parts.items()])
    assert sorted(together.tolist()) == list(range(samples))
    assert all((np.diff(rows) > 0).all() for _, rows in parts.items())


@settings(max_examples=40)
@given(st.integers(0, 2**20), st.integers(300, 900), st.integers(2, 18))
@example(seed=671, samples=567, labels=7)
def test_parts_are_disjoint_complete_and_stratified(seed: int, samples: int, labels: int) -> None:
    matrix = random_labels(seed, samples, labels)
    parts = split_of(matrix, seed=seed)
    assert_complete(parts, samples)
    frequent = matrix.sum(axis=0) >= 10
    for name, rows in parts.items():
        assert len(rows) == pytest.approx(SHARES[name] * samples, abs=0.03 * samples)
        assert matrix[rows][:, frequent].any(axis=0).all()
        # The rarest labels are shared first, and now and then the frequent ones pay for it: a part
        # of 62 samples had 2 or 3 too few of each.
        off = np.abs(matrix[rows].mean(axis=0) - matrix.mean(axis=0))
        assert np.median(off) <= max(0.03, 3 / len(rows))
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
    with pytest.raises(InputError, match=Naming("0.1", "4 samples", "empty").pattern):
        split_of(labels)
    return None


@pytest.mark.parametrize("share", [0.04, 0.96])
def test_neither_side_may_be_empty(share: float) -> None:
    groups = Grouped.of(np.ones((10, 2), dtype=np.uint8))
    with pytest.raises(InputError, match=Naming("10 samples", "empty").pattern):
        hold_out_stratified(groups, share, 0, (0, 10))


METHODS: list[Literal["iterative", "random"]] = ["iterative", "random"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("has_val", "has_test"), [(1, 0), (0, 1), (1, 1), (0, 0)])
def test_the_sources_own_parts_are_used_and_only_the_others_drawn(
    method: Literal["iterative", "random"], has_val: bool, has_test: bool
) -> None:
    labels = random_labels(4, 600, 6)
    own_val = (np.arange(600) % 6 == 1) & bool(has_val)
    own_test = (np.arange(600) % 6 == 2) & bool(has_test)
    parts = split_of(labels, own_test, own_val, method, val=0.2, test=0.3)
    assert_complete(parts, 600)
    free = 600 - 100 * has_val - 100 * has_test
    if has_val:
        assert parts.val.tolist() == np.flatnonzero(own_val).tolist()
    else:
        assert len(parts.val) == pytest.approx(0.2 * free, abs=15)
    if has_test:
        assert parts.test.tolist() == np.flatnonzero(own_test).tolist()
    else:
        assert len(parts.test) == pytest.approx(0.3 * free, abs=15)
    # The seed decides about nothing but val, the other one about nothing but the test set.
    other = split_of(labels, own_test, own_val, method, val=0.2, test=0.3, seed=5)
    assert (other.test == parts.test).all()
    assert (other.val.tolist() == parts.val.tolist()) == bool(has_val)
    other = split_of(labels, own_test, own_val, method, val=0.2, test=0.3, test_seed=5)
    assert (other.test.tolist() == parts.test.tolist()) == bool(has_test)


@pytest.mark.parametrize("method", METHODS)
def test_shares_of_parts_that_are_not_drawn_do_not_matter(
    method: Literal["iterative", "random"],
) -> None:
    labels = random_labels(5, 90, 3)
    own_val, own_test = np.arange(90) < 30, np.arange(90) >= 60
    parts = split_of(labels, own_test, own_val, method, val=0.9, test=0.9)
    assert parts.train.tolist() == list(range(30, 60))
    assert len(split_of(labels, own_test, None, method, val=0.5, test=0.9).val) in (29, 30, 31)
    assert len(split_of(labels, None, own_val, method, val=0.9, test=0.5).test) in (29, 30, 31)


@settings(max_examples=80)
@given(
    st.integers(20, 300),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
    st.integers(0, 2**31),
    st.booleans(),
)
def test_a_random_split_has_exactly_the_sizes_asked_for(
    samples: int, val: float, test: float, seed: int, own: bool
) -> None:
    labels = np.zeros((samples, 2), dtype=np.uint8)
    own_val = (np.arange(samples) < 3) & own
    parts = split_of(labels, None, own_val, "random", val=val, test=test, seed=seed, test_seed=seed)
    assert_complete(parts, samples)
    free = samples - 3 * own
    assert len(parts.val) == (3 if own else round(val * free))
    assert len(parts.test) == round(test * free)


def test_a_random_split_does_not_look_at_labels() -> None:
    first = split_of(random_labels(1, 200, 4), method="random")
    second = split_of(random_labels(2, 200, 4), method="random")
    assert all((first[name] == second[name]).all() for name in SHARES)
    assert (first.val != split_of(random_labels(1, 200, 4), method="random", seed=1).val).any()


def single(count: int) -> Grouped:
    return Grouped.of(np.ones((count, 2), dtype=np.uint8))


def test_every_sample_is_drawn_as_often_as_another() -> None:
    drawn = np.zeros(20)
    for seed in range(2000):
        drawn += hold_out_random(single(20), 5, seed)
    # Each is drawn 500 times on average, with a standard deviation of 19.4.
    assert np.abs(drawn - 500).max() < 5 * 19.4


def test_a_known_draw_stays_the_same() -> None:
    # NumPy's default_rng(0).permutation(10) is 4 6 2 7 3 5 9 0 8 1.
    assert np.flatnonzero(hold_out_random(single(10), 3, 0)).tolist() == [2, 4, 6]


@pytest.mark.parametrize(("count", "fine"), [(0, False), (1, True), (4, True), (5, False)])
def test_neither_side_of_a_draw_may_be_empty(count: int, fine: bool) -> None:
    if fine:
        assert hold_out_random(single(5), count, 0).sum() == count
    else:
        with pytest.raises(InputError, match=Naming("5 samples", "empty").pattern):
            hold_out_random(single(5), count, 0)


def test_nothing_at_all_to_draw_from() -> None:
    with pytest.raises(InputError, match=Naming("0 samples", "empty").pattern):
        hold_out_random(single(0), 1, 0)


def test_a_source_that_leaves_nothing_to_train_on() -> None:
    own_val = np.arange(10) < 5
    with pytest.raises(InputError, match=Naming("10 samples", "none").pattern):
        split_of(np.ones((10, 2), dtype=np.uint8), ~own_val, own_val)


def test_a_source_that_marks_samples_twice() -> None:
    own = np.arange(10) < 3
    with pytest.raises(InputError, match=Naming("3 samples", "validation", "test").pattern):
        split_of(np.ones((10, 2), dtype=np.uint8), own, own)


def test_shares_that_leave_no_training() -> None:
    with pytest.raises(InputError, match=Naming("split.val=0.5", "split.test=0.5").pattern):
        split_of(random_labels(0, 50, 3), val=0.5, test=0.5)


def test_label_shares_by_part() -> None:
    labels = np.array([[1, 0], [1, 1], [0, 1], [1, 0]], dtype=np.uint8)
    shares = label_shares(labels, Parts(np.array([0, 1]), np.array([2]), np.array([3])))
    assert {name: values.tolist() for name, values in shares.items()} == {
        "train": [1.0, 0.5],
        "val": [0.0, 1.0],
        "test": [1.0, 0.0],
    }


def test_one_label_alone_keeps_its_share() -> None:
    labels = np.zeros((200, 1), dtype=np.uint8)
    labels[:40] = 1
    nobody = np.zeros(200, dtype=bool)
    parts = split(labels, nobody, nobody, val=0.1, test=0.1, seed=0, test_seed=0)
    assert [len(rows) for _, rows in parts.items()] == pytest.approx([160, 20, 20], abs=3)
    for rows in (parts.train, parts.val, parts.test):
        assert labels[rows].mean() == pytest.approx(0.2, abs=0.03)


def test_parts_without_some_rows() -> None:
    parts = Parts(np.array([0, 3, 4]), np.array([1, 5]), np.array([2, 6]))
    left = parts.without([3, 6, 99])
    assert [rows.tolist() for _, rows in left.items()] == [[0, 4], [1, 5], [2]]
    with pytest.raises(InputError, match=Naming("2 samples", "val").pattern):
        parts.without([1, 5])
