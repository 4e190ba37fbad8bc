import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmclf.studies.statistics.interactions import Cell, Contrast, main_effects, two_way_interactions


def value(contrast: Contrast, cells: Mapping[Cell, float]) -> float:
    return sum(weight * cells[cell] for cell, weight in contrast.weights.items())


def test_two_factors_of_two_levels() -> None:
    cells: dict[Cell, float] = {(0, 0): 1.0, (1, 0): 3.0, (0, 1): 2.0, (1, 1): 9.0}
    first, second = main_effects([2, 2], (0, 0))
    assert dict(first.weights) == {(0, 0): -0.5, (0, 1): -0.5, (1, 0): 0.5, (1, 1): 0.5}
    assert value(first, cells) == 4.5  # (2 + 7) / 2
    assert value(second, cells) == 3.5  # (1 + 6) / 2
    (interaction,) = two_way_interactions([2, 2], (0, 0))
    assert dict(interaction.weights) == {(0, 0): 1, (1, 0): -1, (0, 1): -1, (1, 1): 1}
    assert dict(interaction.levels) == {0: 1, 1: 1}
    assert value(interaction, cells) == 5.0  # 7 - 2


def test_montgomerys_filtration_rate() -> None:
    # Montgomery, Design and Analysis of Experiments, example 6.2: a 2^4 design in standard order,
    # with effects A 21.625, C 9.875, D 14.625, AC -18.125, AD 16.625, AB 0.125.
    rates = [45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96]
    order = [cell[::-1] for cell in itertools.product(range(2), repeat=4)]
    cells = dict(zip(order, rates, strict=True))
    mains = [value(of, cells) for of in main_effects([2] * 4, (0,) * 4)]
    assert mains == pytest.approx([21.625, 3.125, 9.875, 14.625])
    pairs = {
        tuple(of.levels): value(of, cells) / 2 for of in two_way_interactions([2] * 4, (0,) * 4)
    }
    assert pairs[0, 1] == pytest.approx(0.125)
    assert pairs[0, 2] == pytest.approx(-18.125)
    assert pairs[0, 3] == pytest.approx(16.625)
    assert pairs[1, 2] == pytest.approx(2.375)
    assert pairs[1, 3] == pytest.approx(-0.375)
    assert pairs[2, 3] == pytest.approx(-1.125)


sizes_and_reference = st.lists(st.integers(2, 4), min_size=2, max_size=4).flatmap(
    lambda sizes: st.tuples(
        st.just(sizes), st.tuples(*(st.integers(0, size - 1) for size in sizes))
    )
)


@given(sizes_and_reference, st.integers(0, 2**32 - 1))
def test_an_additive_model_has_its_effects_and_no_interaction(
    given_: tuple[list[int], Cell], seed: int
) -> None:
    sizes, reference = given_
    chance = np.random.default_rng(seed)
    own = [chance.normal(size=size) for size in sizes]
    cells = {
        cell: sum(of[level] for of, level in zip(own, cell, strict=True))
        for cell in itertools.product(*map(range, sizes))
    }
    for contrast in main_effects(sizes, reference):
        ((factor, level),) = contrast.levels.items()
        expected = own[factor][level] - own[factor][reference[factor]]
        assert value(contrast, cells) == pytest.approx(expected)
    for contrast in two_way_interactions(sizes, reference):
        assert value(contrast, cells) == pytest.approx(0.0, abs=1e-9)
        assert sum(contrast.weights.values()) == pytest.approx(0.0, abs=1e-12)


def test_as_many_as_degrees_of_freedom() -> None:
    assert len(main_effects([3, 4, 2], (1, 0, 1))) == 2 + 3 + 1
    assert len(two_way_interactions([3, 4, 2], (1, 0, 1))) == 2 * 3 + 2 * 1 + 3 * 1
