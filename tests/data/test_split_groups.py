"""The split of samples that belong together, and what holds of every split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit
from numpy.typing import NDArray

from mmclf.data.samples import Samples
from mmclf.data.split import Parts, asked_sizes, split, stored_split
from mmclf.errors import InputError
from mmclf.storage.store.store import Store

Method = Literal["iterative", "random"]
METHODS: list[Method] = ["iterative", "random"]


def draw(
    labels: NDArray[np.uint8],
    groups: NDArray[np.int64] | None,
    method: Method = "iterative",
    own_test: NDArray[np.bool_] | None = None,
    **given: float,
) -> Parts:
    nobody = np.zeros(len(labels), dtype=bool)
    shares = {"val": 0.1, "test": 0.1} | given
    test_set = nobody if own_test is None else own_test
    return split(labels, nobody, test_set, groups, seed=0, test_seed=1, method=method, **shares)


def random_labels(generator: np.random.Generator, samples: int, width: int) -> NDArray[np.uint8]:
    rates = np.exp(generator.uniform(np.log(0.5 / samples), np.log(0.6), width))
    return (generator.random((samples, width)) < rates).astype(np.uint8)


@settings(max_examples=150)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(30, 400),
    st.integers(1, 60),
    st.floats(0.05, 0.4),
    st.floats(0.05, 0.4),
    st.sampled_from([1, 2, 5, 20]),
    st.sampled_from(METHODS),
)
def test_groups_are_whole_and_sizes_as_asked_for(
    seed: int, samples: int, width: int, val: float, test: float, mean: int, method: Method
) -> None:
    generator = np.random.default_rng(seed)
    labels = random_labels(generator, samples, width)
    groups = generator.integers(0, max(3, samples // mean), samples)
    try:
        parts = draw(labels, groups, method, val=val, test=test)
    except InputError:
        # A part of less than a sample, or fewer groups than parts.
        assert len(np.unique(groups)) < 6 or min(val, test) * samples < 2
        return
    assert sorted(np.concatenate([rows for _, rows in parts.items()])) == list(range(samples))
    members = [set(groups[rows].tolist()) for _, rows in parts.items()]
    assert sum(map(len, members)) == len(np.unique(groups))
    largest = np.bincount(groups).max()
    # Where most groups are larger than a part, val and test get one each all the same.
    allowed = largest if min(val, test) * samples >= largest / 2 else 2 * largest
    wanted = {"train": (1 - val - test) * samples, "val": val * samples, "test": test * samples}
    for name, rows in parts.items():
        assert abs(len(rows) - wanted[name]) <= max(0.02 * samples, allowed) + 1e-9


@settings(max_examples=80)
@given(st.integers(0, 2**32 - 1), st.integers(60, 300), st.integers(2, 40), st.integers(1, 3))
def test_every_label_that_can_be_is_in_training(
    seed: int, groups: int, width: int, size: int
) -> None:
    # As many labels could keep at most as many groups in training, and it has 80 % of them.
    generator = np.random.default_rng(seed)
    numbers = np.arange(groups).repeat(size)
    labels = random_labels(generator, len(numbers), width)
    parts = draw(labels, numbers)
    assert (labels[parts.train].any(axis=0) == labels.any(axis=0)).all()


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(200, 500), st.integers(2, 18))
def test_rows_are_those_of_the_library_where_its_sizes_are_right(
    seed: int, samples: int, width: int
) -> None:
    generator = np.random.default_rng(seed)
    labels = (generator.random((samples, width)) < 0.3).astype(np.uint8)
    rows, held = np.arange(samples), {}
    for name, share, part_seed in (("test", 0.1, 1), ("val", 0.1 / 0.9, 0)):
        library = MultilabelStratifiedShuffleSplit(1, test_size=share, random_state=part_seed)
        kept, drawn = next(library.split(rows, labels[rows]))
        held[name], rows = np.sort(rows[drawn]), np.sort(rows[kept])
    assume(all(abs(len(drawn) - 0.1 * samples) < 0.01 * samples for drawn in held.values()))
    parts = draw(labels, None)
    assert parts.train.tolist() == rows.tolist()
    assert all(parts[name].tolist() == drawn.tolist() for name, drawn in held.items())


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from(METHODS))
def test_numbers_of_groups_of_one_sample_do_not_matter(seed: int, method: Method) -> None:
    generator = np.random.default_rng(seed)
    labels = random_labels(generator, 80, 6)
    alone = draw(labels, None, method)
    numbered = draw(labels, generator.permutation(80) * 7, method)
    assert all((alone[name] == rows).all() for name, rows in numbered.items())


def test_a_thousand_labels_of_two_thousand_samples() -> None:
    generator = np.random.default_rng(0)
    rates = 0.003 * np.exp(generator.normal(0, 1, 1000))
    labels = (generator.random((2000, 1000)) < rates).astype(np.uint8)
    parts = draw(labels, None)
    assert [len(rows) for _, rows in parts.items()] == [1600, 200, 200]
    assert (labels[parts.train].any(axis=0) == labels.any(axis=0)).all()
    # Of a label's positives a tenth is held out, up to what a draw of 200 is off by: a half of it.
    drawn = draw(labels, None, "random")
    totals = labels.sum(axis=0)
    off = {
        name: np.abs(labels[of.test].sum(axis=0) - 0.1 * totals).mean()
        for name, of in (("stratified", parts), ("drawn", drawn))
    }
    assert off["stratified"] < 0.75 * off["drawn"]


def test_shares_of_labels_hold_for_groups() -> None:
    generator = np.random.default_rng(0)
    groups = np.arange(400).repeat(5)
    labels = random_labels(generator, 400, 10).repeat(5, axis=0)
    parts = draw(labels, groups, val=0.2, test=0.2)
    frequent = labels.mean(axis=0) > 0.05
    for rows in (parts.val, parts.test):
        assert len(rows) == pytest.approx(400, abs=40)
        off = np.abs(labels[rows].mean(axis=0) - labels.mean(axis=0))[frequent]
        assert off.max() < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_the_sources_own_test_set_is_taken_as_it_is(method: Method) -> None:
    labels = random_labels(np.random.default_rng(0), 100, 5)
    groups = np.arange(100) // 5
    # It divides a group, which is the business of `check_shared_groups`.
    parts = draw(labels, groups, method, np.arange(100) < 23)
    assert parts.test.tolist() == list(range(23))
    assert not set(groups[parts.train]) & set(groups[parts.val])


def test_sizes_that_are_asked_for() -> None:
    none, own = np.zeros(50, dtype=bool), np.arange(50) < 10
    assert asked_sizes(none, none, val=0.1, test=0.2) == {"train": 35, "val": 5, "test": 10}
    assert asked_sizes(none, own, val=0.1, test=0.2) == {"train": 36, "val": 4, "test": 10}
    assert asked_sizes(~own, own, val=0.1, test=0.2) == {"train": 0, "val": 40, "test": 10}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("groups", "enough"), [(2, False), (3, True)])
def test_three_parts_need_three_groups(groups: int, enough: bool, method: Method) -> None:
    labels, numbers = np.ones((60, 2), dtype=np.uint8), np.arange(60) % groups
    if enough:
        assert [len(rows) for _, rows in draw(labels, numbers, method).items()] == [20, 20, 20]
    else:
        with pytest.raises(InputError, match=r"30 samples .*1 groups"):
            draw(labels, numbers, method)


def made(groups: tuple[str, ...]) -> Samples:
    nobody = np.zeros(40, dtype=bool)
    names = tuple(map(str, range(40)))
    labels = np.ones((40, 2), dtype=np.uint8)
    return Samples(names, (), names, labels, ("1", "2"), ("a", "b"), nobody, nobody, groups)


def test_groups_are_in_the_key_of_the_stored_split_where_they_matter(tmp_path: Path) -> None:
    store = Store(tmp_path, "here")
    settings = {"val": 0.2, "test": 0.2, "seed": 0, "test_seed": 0, "method": "iterative"}
    plain = made(())
    pairs = tuple(str(i // 2) for i in range(40))
    first = stored_split(plain, store, **settings)
    alone = stored_split(
        replace(plain, groups=tuple(f"g{i}" for i in range(40))), store, **settings
    )
    assert first.timings[0].key == alone.timings[0].key
    grouped = stored_split(made(pairs), store, **settings)
    assert grouped.timings[0].key != first.timings[0].key
    assert all(len(rows) % 2 == 0 for _, rows in grouped.value.items())
