"""The looks, the error spent by them, and their levels, against published and other values."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from mmclf.studies.statistics.spending import LEAST, levels, looks, nominal_levels, spent


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (3, (3,)),
        (4, (3, 4)),
        (5, (3, 5)),
        (6, (3, 5, 6)),
        (10, (3, 5, 8, 10)),
        (20, (3, 5, 8, 13, 20)),
        (21, (3, 5, 8, 13, 21)),
        (22, (3, 5, 8, 13, 21, 22)),
    ],
)
def test_looks_are_below_the_most_and_at_it(most: int, expected: tuple[int, ...]) -> None:
    assert looks(most) == expected


@pytest.mark.parametrize(
    ("most", "alpha", "expected"),
    [
        (10, 0.05, [3.46e-4, 5.44e-3, 2.63e-2, 3.95e-2]),
        (10, 0.05 / 7, [9.0e-7, 1.42e-4, 2.58e-3, 6.21e-3]),
        (20, 0.05, [4.2e-7, 8.8e-5, 1.91e-3, 1.43e-2, 4.42e-2]),
    ],
)
def test_levels_are_the_known_ones(most: int, alpha: float, expected: list[float]) -> None:
    np.testing.assert_allclose(levels([alpha], looks(most))[0], expected, rtol=0.01)


@pytest.mark.parametrize(
    ("fractions", "expected"),
    [
        # Five looks, 0.025 to each side: as tables and programs of Lan and DeMets's bounds have
        # them (Reboussin, DeMets, Kim & Lan 2000, Controlled Clinical Trials 21:190-207).
        ([0.2, 0.4, 0.6, 0.8, 1.0], [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ([0.5, 1.0], [2.9626, 1.9686]),
    ],
)
def test_bounds_are_the_published_ones(fractions: list[float], expected: list[float]) -> None:
    at = np.array(fractions)
    both_sides = 2 * spent(0.025, at)
    bounds = -ndtri(nominal_levels(both_sides[None], at)[0] / 2)
    np.testing.assert_allclose(bounds, expected, atol=2e-4)


def test_a_single_look_has_the_whole_error() -> None:
    assert levels([0.05], [3])[0, 0] == pytest.approx(0.05, rel=1e-9)


@pytest.mark.parametrize("most", [5, 10, 20, 34])
@pytest.mark.parametrize("alpha", [0.1, 0.05, 0.05 / 63])
def test_what_is_kept_inside_the_bounds_is_the_rest(most: int, alpha: float) -> None:
    """By another integration, of scipy's, over the looks' joint normal law."""
    at = np.array(looks(most))
    actual = levels([alpha], at.tolist())[0]
    bounds = np.where(actual > 0, -ndtri(np.maximum(actual, 1e-300) / 2), 10.0)
    correlation = np.sqrt(np.minimum.outer(at, at) / np.maximum.outer(at, at))
    law = multivariate_normal(cov=correlation, seed=0, maxpts=200_000, abseps=1e-7)
    inside = law.cdf(bounds, lower_limit=-bounds)
    assert 1 - inside == pytest.approx(alpha, rel=0.01, abs=2e-6)


def test_too_small_a_part_is_spent_at_the_next_look() -> None:
    at = looks(34)
    alone = levels([0.05 / 63], at)[0]
    by_then = spent(0.05 / 63, np.array(at) / 34)
    assert by_then[1] < LEAST < by_then[2]
    assert alone[:2].tolist() == [0, 0]
    # Nobody has stopped before, so that all that may be spent by then is its level.
    assert alone[2] == pytest.approx(by_then[2], rel=1e-6)


@settings(max_examples=30)
@given(
    alpha=st.floats(1e-4, 0.1),
    share=st.floats(0.1, 0.9),
    most=st.integers(3, 60),
)
def test_levels_rise_with_the_error_and_from_look_to_look(
    alpha: float, share: float, most: int
) -> None:
    whole, part = levels([alpha, share * alpha], looks(most))
    assert np.all(part <= whole)
    assert np.all(whole <= alpha * (1 + 1e-6))
    assert whole[-1] >= 0.5 * alpha
    assert np.all(spent(alpha, np.array(looks(most)) / most) >= whole * (1 - 1e-6))
    # A last look right after another one has little of its own; the others rise.
    assert all(before <= after for before, after in pairwise(whole[:-1]))
