import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from statsmodels.stats.multitest import multipletests

from mmclf.evaluation.metrics import METRICS
from mmclf.studies.statistics.bootstrap import label_f1, resampled_label_f1, resampled_score
from mmclf.studies.statistics.estimates import estimate
from mmclf.studies.statistics.label_tests import (
    LabelDifference,
    adjusted,
    label_differences,
)

Labels = NDArray[np.uint8]
SHARES = np.array([0.5, 0.3, 0.2, 0.01])
PAIRS = {"other": [(3, 0), (4, 1), (5, 2)], "third": [(6, 0), (7, 2)]}


def study(samples: int = 240) -> tuple[Labels, Labels]:
    """Labels (N, 4), the last one rare, and the sets of 8 runs; runs 3 to 5 miss label 1 often."""
    chance = np.random.default_rng(3)
    labels = (chance.random((samples, 4)) < SHARES).astype(np.uint8)
    labels[:12, 3] = np.arange(12) < 9
    labels[12:, 3] = 0
    wrong = (chance.random((8, samples, 4)) < 0.1).astype(np.uint8)
    predicted = labels ^ wrong
    predicted[3:6, : samples // 2, 1] = 0
    return labels, predicted


def found(memory: int = 2**28) -> list[LabelDifference]:
    labels, predicted = study()
    return label_differences(labels, predicted, PAIRS, resamples=300, seed=0, memory=memory)


def test_label_f1_is_that_of_scikit_learn() -> None:
    labels, predicted = study()
    expected = [f1_score(labels, run, average=None, zero_division=0) for run in predicted]
    np.testing.assert_allclose(label_f1(labels, predicted), expected, rtol=1e-12)


@pytest.mark.parametrize("memory", [2**28, 2**16])
def test_the_mean_over_labels_of_resamples_is_that_of_macro_f1(memory: int) -> None:
    labels, predicted = study()
    groups = np.arange(len(labels)) // 3
    of_labels = resampled_label_f1(
        labels, predicted, resamples=50, seed=4, groups=groups, memory=memory
    )
    macro = METRICS["f1_macro"]
    whole = resampled_score(labels, predicted, macro, resamples=50, seed=4, groups=groups)
    np.testing.assert_allclose(of_labels.mean(axis=2), whole, rtol=1e-12)


def test_a_difference_is_the_estimate_of_its_label_alone() -> None:
    labels, predicted = study()
    alone, macro = labels[:, [1]], METRICS["f1_macro"]
    again = resampled_score(alone, predicted[:, :, [1]], macro, resamples=300, seed=0)
    values = label_f1(alone, predicted[:, :, [1]])[:, 0]
    expected = estimate(values[3:6] - values[:3], again[:, 3:6] - again[:, :3], len(labels))
    difference = next(of for of in found() if (of.arm, of.label) == ("other", 1))
    assert difference.estimate is not None
    assert difference.estimate.value == pytest.approx(expected.value)
    assert difference.estimate.between == pytest.approx(expected.between)
    assert difference.estimate.shared == pytest.approx(expected.shared)
    assert difference.p == pytest.approx(expected.p)
    assert difference.f1 - difference.baseline_f1 == pytest.approx(expected.value)


def test_every_arm_and_label_in_order_and_what_was_broken_is_found() -> None:
    differences = found()
    assert [(of.arm, of.label) for of in differences] == [
        (arm, label) for arm in PAIRS for label in range(4)
    ]
    called = [(of.arm, of.label) for of in differences if of.p_adjusted < 0.05]
    assert called == [("other", 1)]


def test_blocks_of_labels_change_nothing() -> None:
    whole, blocks = (pd.DataFrame([asdict(of) for of in found(memory=m)]) for m in (2**28, 1))
    pd.testing.assert_frame_equal(whole, blocks)


def test_a_rare_label_is_not_tested() -> None:
    rare = [of for of in found() if of.label == 3]
    assert {of.positives for of in rare} == {9}
    assert all(of.estimate is None and math.isnan(of.p + of.p_adjusted) for of in rare)
    labels, predicted = study()
    labels[12, 3] = 1
    ten = label_differences(labels, predicted, PAIRS, resamples=20, seed=0)
    assert all(of.estimate is not None and not math.isnan(of.p) for of in ten if of.label == 3)


def test_one_seed_has_no_p() -> None:
    labels, predicted = study()
    single = label_differences(labels, predicted, {"a": [(3, 0)]}, resamples=20, seed=0)
    assert all(math.isnan(of.p) and math.isnan(of.p_adjusted) for of in single)
    assert single[1].estimate is not None
    assert single[1].estimate.value < -0.15


def test_adjusted_as_in_the_paper_and_by_statsmodels() -> None:
    # Benjamini & Hochberg 1995, section 3.3: of 15 p-values they reject the first four at 0.05.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    given = [LabelDifference("a", n, 20, 0.5, 0.5, None, value) for n, value in enumerate(p)]
    given.insert(3, LabelDifference("a", 99, 2, 0.5, 0.5, None, math.nan))
    q = [of.p_adjusted for of in adjusted(given)]
    assert math.isnan(q.pop(3))
    assert q == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert [value < 0.05 for value in q] == [True] * 4 + [False] * 11


def test_nothing_to_adjust() -> None:
    rare = [LabelDifference("a", 0, 2, 0.5, 0.5, None, math.nan)]
    assert adjusted(rare) == rare
