"""Main effects and two-way interactions of a full grid of factors' levels, as contrasts of cells.

A cell is a level of each factor, numbered from 0; every combination has one. A main effect is what
a level brings against a reference level, in the mean over the other factors' levels. An interaction
of two factors is by how much more, or less, it brings where the other factor is at a level of its
own, in the mean over the rest: a difference of differences (Montgomery 2019, Design and Analysis of
Experiments, chapter 5, who for two levels halves it).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod

Cell = tuple[int, ...]


@dataclass(frozen=True)
class Contrast:
    """A contrast of cells: the weight of each, adding up to 0.

    `levels`: by factor the level that is compared to the reference: one of a main effect, two of an
    interaction.
    """

    levels: Mapping[int, int]
    weights: Mapping[Cell, float]


def main_effects(sizes: Sequence[int], reference: Cell) -> list[Contrast]:
    """The contrasts of all levels but the reference; `sizes`: how many levels each factor has."""
    return [
        _contrast(sizes, reference, {factor: level})
        for factor in range(len(sizes))
        for level in _others(sizes, reference, factor)
    ]


def two_way_interactions(sizes: Sequence[int], reference: Cell) -> list[Contrast]:
    """The contrasts of all pairs of factors, and of their levels but the reference."""
    return [
        _contrast(sizes, reference, {first: level, second: other})
        for first, second in itertools.combinations(range(len(sizes)), 2)
        for level in _others(sizes, reference, first)
        for other in _others(sizes, reference, second)
    ]


def _others(sizes: Sequence[int], reference: Cell, factor: int) -> list[int]:
    return [level for level in range(sizes[factor]) if level != reference[factor]]


def _contrast(sizes: Sequence[int], reference: Cell, levels: Mapping[int, int]) -> Contrast:
    """The difference of these levels to the reference, of each factor in turn; the others' mean."""
    rest = [factor for factor in range(len(sizes)) if factor not in levels]
    share = 1 / prod(sizes[factor] for factor in rest)
    weights = {}
    for cell in _cells(sizes):
        if all(cell[factor] in (reference[factor], level) for factor, level in levels.items()):
            before = sum(cell[factor] == reference[factor] for factor in levels)
            weights[cell] = share * (-1) ** before
    return Contrast(levels, weights)


def _cells(sizes: Sequence[int]) -> Iterator[Cell]:
    return itertools.product(*(range(size) for size in sizes))
