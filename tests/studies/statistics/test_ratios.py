from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mmclf.studies.statistics.ratios import geometric_ratio


def test_it_is_the_paired_t_test_of_logarithms() -> None:
    values, reference = np.array([12.0, 30.0, 20.0, 41.0]), np.array([10.0, 22.0, 18.0, 30.0])
    actual = geometric_ratio(values, reference)
    expected = stats.ttest_rel(np.log(values), np.log(reference)).confidence_interval(0.95)
    assert actual.value == pytest.approx(stats.gmean(values / reference))
    assert [actual.low, actual.high] == pytest.approx(np.exp(list(expected)).tolist())


def test_ratios_that_do_not_vary_have_no_width() -> None:
    actual = geometric_ratio(np.array([2.0, 4.0, 8.0]), np.array([1.0, 2.0, 4.0]))
    assert [actual.value, actual.low, actual.high] == pytest.approx([2.0, 2.0, 2.0])


def test_a_single_seed_has_no_interval() -> None:
    actual = geometric_ratio(np.array([3.0]), np.array([2.0]))
    assert actual.value == pytest.approx(1.5)
    assert math.isnan(actual.low)
    assert math.isnan(actual.high)


@pytest.mark.parametrize("pair", [([0.0, 1.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, -1.0])])
def test_times_of_nothing_have_no_ratio(pair: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="not above 0"):
        geometric_ratio(*map(np.asarray, pair))
