from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from mmclf.evaluation.metrics import METRICS, mean_average_precision
from mmclf.studies.statistics import average_precision
from mmclf.studies.statistics.average_precision import mean_average_precisions, resampled_map
from mmclf.studies.statistics.bootstrap import resampled_score

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]


def drawn(runs: int, samples: int, width: int, steps: int | None = None) -> tuple[Labels, Floats]:
    """Labels (N, L), of rarer and rarer labels, and probabilities (R, N, L); with `steps`, ties."""
    chance = np.random.default_rng([runs, samples, width])
    labels = (chance.random((samples, width)) < 0.5 / np.arange(1, width + 1)).astype(np.uint8)
    probabilities = 0.3 * labels + 0.7 * chance.random((runs, samples, width))
    return labels, probabilities if steps is None else (probabilities * steps).round() / steps


def by_scikit_learn(
    labels: Labels,
    probabilities: Floats,
    resamples: int,
    seed: int,
    groups: NDArray[Any] | None = None,
) -> Floats:
    """(B, R), with how often a sample was drawn as its weight."""
    names = np.arange(len(labels)) if groups is None else groups
    members = list(dict.fromkeys(names.tolist()))
    chance = np.random.default_rng(seed)
    scores = np.zeros((resamples, len(probabilities)))
    for row in scores:
        indices = chance.integers(len(members), size=len(members))
        weights = np.array([(indices == members.index(name)).sum() for name in names.tolist()])
        present = [label for label in range(labels.shape[1]) if weights @ labels[:, label] > 0]
        for run, of_run in enumerate(probabilities):
            each = [
                average_precision_score(labels[:, i], of_run[:, i], sample_weight=weights)
                for i in present
            ]
            row[run] = np.mean(each) if each else 0.0
    return scores


@pytest.mark.parametrize("steps", [None, 10, 2, 1])
@pytest.mark.parametrize("grouped", [False, True])
def test_it_is_scikit_learns_with_weights(steps: int | None, grouped: bool) -> None:
    labels, probabilities = drawn(runs=2, samples=70, width=6, steps=steps)
    groups = np.random.default_rng(0).integers(30, size=70) if grouped else None
    expected = by_scikit_learn(labels, probabilities, resamples=8, seed=3, groups=groups)
    scores = resampled_map(labels, probabilities, resamples=8, seed=3, groups=groups)
    assert scores == pytest.approx(expected, rel=0, abs=1e-12)


@st.composite
def small(draw: st.DrawFn) -> tuple[Labels, Floats]:
    samples, width = draw(st.integers(2, 7)), draw(st.integers(1, 3))
    size = samples * width
    flags = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    ranks = draw(st.lists(st.integers(-2, 3), min_size=size, max_size=size))
    labels = np.array(flags, dtype=np.uint8).reshape(samples, width)
    return labels, np.array(ranks, dtype=np.float64).reshape(1, samples, width)


@settings(max_examples=60)
@given(small(), st.integers(0, 2**32))
def test_any_ranking_is_scikit_learns(given_labels: tuple[Labels, Floats], seed: int) -> None:
    expected = by_scikit_learn(*given_labels, resamples=3, seed=seed)
    scores = resampled_map(*given_labels, resamples=3, seed=seed)
    assert scores == pytest.approx(expected, rel=0, abs=1e-12)


def test_of_the_samples_as_they_are_it_is_the_metric_that_runs_log() -> None:
    labels, probabilities = drawn(runs=3, samples=120, width=7, steps=30)
    labels[:, 2] = 0  # no average precision
    expected = [mean_average_precision(labels, run) for run in probabilities]
    actual = mean_average_precisions(labels, probabilities)
    assert actual == pytest.approx(expected, rel=0, abs=1e-12)


def test_without_a_true_sample_it_is_0() -> None:
    labels, probabilities = np.zeros((5, 2), dtype=np.uint8), np.ones((3, 5, 2))
    assert mean_average_precisions(labels, probabilities).tolist() == [0.0, 0.0, 0.0]
    assert resampled_map(labels, probabilities, resamples=2, seed=0).tolist() == [[0.0] * 3] * 2


def test_only_the_order_counts() -> None:
    labels, probabilities = drawn(runs=2, samples=60, width=4, steps=20)
    actual, of_logits = (
        resampled_map(labels, scores, resamples=20, seed=0)
        for scores in (probabilities, 5 * probabilities - 3)
    )
    assert np.array_equal(actual, of_logits)


def test_the_resamples_are_those_of_label_sets() -> None:
    chance = np.random.default_rng(0)
    labels = (chance.random((50, 1)) < 0.4).astype(np.uint8)
    labels[0] = 1
    everything = np.ones((1, 50, 1), dtype=np.uint8)
    groups = np.arange(50) // 3
    scores = resampled_map(labels, np.ones((1, 50, 1)), resamples=40, seed=9, groups=groups)
    f1 = resampled_score(
        labels, everything, METRICS["f1_micro"], resamples=40, seed=9, groups=groups
    )
    # With all samples predicted, or equally probable, both come from the prevalence q alone: F1 is
    # 2 q / (1 + q), and the average precision q.
    assert scores == pytest.approx(f1 / (2 - f1), abs=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 7, 1_000])
def test_blocks_do_not_change_a_bit(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, probabilities = drawn(runs=2, samples=90, width=3, steps=40)
    whole = resampled_map(labels, probabilities, resamples=23, seed=1)
    monkeypatch.setattr(average_precision, "ROWS", rows)
    assert np.array_equal(resampled_map(labels, probabilities, resamples=23, seed=1), whole)


def test_runs_are_paired_so_equal_runs_never_differ() -> None:
    labels, probabilities = drawn(runs=4, samples=200, width=5)
    probabilities[3] = probabilities[0]
    scores = resampled_map(labels, probabilities, resamples=50, seed=0)
    assert np.array_equal(scores[:, 0], scores[:, 3])
    assert scores[:, 0].std() > 0
    assert np.array_equal(
        resampled_map(labels, probabilities[1:2], resamples=50, seed=0)[:, 0], scores[:, 1]
    )


@pytest.mark.parametrize(
    ("labels", "probabilities"),
    [((3, 2), (3, 2)), ((3, 2), (1, 2, 3)), ((0, 2), (1, 0, 2)), ((3, 0), (1, 3, 0))],
)
def test_shapes_that_do_not_match_are_refused(labels: Any, probabilities: Any) -> None:
    both = np.zeros(labels, dtype=np.uint8), np.zeros(probabilities)
    with pytest.raises(ValueError, match="expected"):
        mean_average_precisions(*both)
    with pytest.raises(ValueError, match="expected"):
        resampled_map(*both, resamples=2, seed=0)
