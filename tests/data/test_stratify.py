from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iterstrat.ml_stratifiers import MultilabelStratifiedShuffleSplit

from mmclf.data.grouped import Grouped
from mmclf.data.stratify import stratified


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.integers(3, 120), st.integers(2, 12), st.floats(0.05, 0.65))
def test_samples_of_their_own_are_divided_as_by_the_library(
    seed: int, samples: int, width: int, share: float
) -> None:
    generator = np.random.default_rng(seed)
    rates = np.exp(generator.uniform(np.log(0.01), np.log(0.9), width))
    labels = (generator.random((samples, width)) < rates).astype(np.uint8)
    library = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=share, random_state=seed)
    _, held = next(library.split(labels, labels))
    assert np.flatnonzero(stratified(Grouped.of(labels), share, seed)).tolist() == held.tolist()


def test_groups_of_one_size_are_divided_as_samples_are() -> None:
    labels = (np.random.default_rng(0).random((200, 6)) < 0.2).astype(np.uint8)
    fives = Grouped.of(labels.repeat(5, axis=0), np.arange(200).repeat(5))
    for seed in range(5):
        alone = stratified(Grouped.of(labels), 0.1, seed)
        assert stratified(fives, 0.1, seed).tolist() == alone.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_many_sizes_keep_the_shares(seed: int) -> None:
    generator = np.random.default_rng(seed)
    groups = np.sort(generator.integers(0, 400, 3000))
    labels = (generator.random((3000, 8)) < 0.2).astype(np.uint8)
    grouped = Grouped.of(labels, groups)
    held = grouped.rows(np.flatnonzero(stratified(grouped, 0.2, seed)))
    assert len(held) == pytest.approx(600, abs=70)
    assert labels[held].mean(axis=0) == pytest.approx(labels.mean(axis=0), abs=0.04)
