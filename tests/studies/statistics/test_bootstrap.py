from __future__ import annotations

import tracemalloc
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from mmclf.evaluation.metrics import METRICS, MeanOverSamples
from mmclf.studies.statistics import bootstrap
from mmclf.studies.statistics.bootstrap import resampled_score, score

Labels = NDArray[np.uint8]

every_metric = pytest.mark.parametrize("metric", METRICS)


def drawn(runs: int, samples: int, width: int, share: float = 0.3) -> tuple[Labels, Labels]:
    """Labels (N, L) and label sets (R, N, L) that are right in four of five places."""
    chance = np.random.default_rng([runs, samples, width])
    labels = (chance.random((samples, width)) < share).astype(np.uint8)
    wrong = (chance.random((runs, samples, width)) < 0.2).astype(np.uint8)
    return labels, labels ^ wrong


@st.composite
def small(draw: st.DrawFn) -> tuple[Labels, Labels]:
    runs, samples, width = (draw(st.integers(1, most)) for most in (3, 6, 3))
    size = (1 + runs) * samples * width
    flags = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    both = np.array(flags, dtype=np.uint8).reshape(1 + runs, samples, width)
    return both[0], both[1:]


# scikit-learn, which every example is checked against, takes milliseconds.
few_examples = settings(max_examples=40)


@every_metric
@few_examples
@given(given_labels=small())
def test_a_score_is_that_of_its_function(metric: str, given_labels: tuple[Labels, Labels]) -> None:
    labels, predicted = given_labels
    expected = [METRICS[metric].value(labels, run) for run in predicted]
    assert score(labels, predicted, METRICS[metric]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("average", ["samples", "micro", "macro"])
def test_f1_is_that_of_scikit_learn(average: str) -> None:
    labels, predicted = drawn(runs=4, samples=300, width=18)
    labels[:50] = predicted[:, :40] = 0
    nothing = 1 if average == "samples" else 0
    expected = [f1_score(labels, run, average=average, zero_division=nothing) for run in predicted]
    actual = score(labels, predicted, METRICS[f"f1_{average}"])
    assert actual == pytest.approx(expected, abs=1e-12)


def by_loop(
    labels: Labels,
    predicted: Labels,
    metric: str,
    resamples: int,
    seed: int,
    groups: Sequence[Hashable] | None = None,
) -> NDArray[np.float64]:
    """What resampled_score says it does, row by row."""
    chance = np.random.default_rng(seed)
    scores = np.empty((resamples, len(predicted)))
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(range(len(labels)) if groups is None else groups):
        members.setdefault(group, []).append(index)
    for row in scores:
        drawn = chance.integers(len(members), size=len(members))
        indices = np.concatenate([list(members.values())[group] for group in drawn])
        row[:] = [METRICS[metric].value(labels[indices], run[indices]) for run in predicted]
    return scores


@every_metric
def test_a_resampled_score_is_that_of_repeated_rows(metric: str) -> None:
    labels, predicted = drawn(runs=3, samples=57, width=5)
    expected = by_loop(labels, predicted, metric, resamples=12, seed=4)
    scores = resampled_score(labels, predicted, METRICS[metric], resamples=12, seed=4)
    assert scores == pytest.approx(expected, abs=1e-10)


@every_metric
@few_examples
@given(given_labels=small(), seed=st.integers(0, 2**32))
def test_a_resampled_score_of_any_labels(
    metric: str, given_labels: tuple[Labels, Labels], seed: int
) -> None:
    expected = by_loop(*given_labels, metric, resamples=3, seed=seed)
    scores = resampled_score(*given_labels, METRICS[metric], resamples=3, seed=seed)
    assert scores == pytest.approx(expected, abs=1e-10)


@every_metric
@few_examples
@given(given_labels=small(), seed=st.integers(0, 2**32), data=st.data())
def test_groups_are_drawn_with_all_their_samples(
    metric: str, given_labels: tuple[Labels, Labels], seed: int, data: st.DataObject
) -> None:
    count = len(given_labels[0])
    groups = data.draw(st.lists(st.integers(-1, 2), min_size=count, max_size=count))
    expected = by_loop(*given_labels, metric, resamples=3, seed=seed, groups=groups)
    scores = resampled_score(
        *given_labels, METRICS[metric], resamples=3, seed=seed, groups=np.array(groups)
    )
    assert scores == pytest.approx(expected, abs=1e-10)


@every_metric
@pytest.mark.parametrize("names", [np.arange(90)[::-1], np.array([f"{i:x}" for i in range(90)])])
def test_a_group_for_each_sample_changes_no_bit(metric: str, names: NDArray[Any]) -> None:
    labels, predicted = drawn(runs=3, samples=90, width=5)
    expected = resampled_score(labels, predicted, METRICS[metric], resamples=12, seed=4)
    scores = resampled_score(labels, predicted, METRICS[metric], resamples=12, seed=4, groups=names)
    assert np.array_equal(scores, expected)


@every_metric
def test_copies_in_a_group_of_their_own_tell_nothing_more(metric: str) -> None:
    labels, predicted = drawn(runs=3, samples=90, width=5)
    expected = resampled_score(labels, predicted, METRICS[metric], resamples=12, seed=4)
    scores = resampled_score(
        *(np.repeat(labels, 5, axis=0), np.repeat(predicted, 5, axis=1), METRICS[metric]),
        resamples=12,
        seed=4,
        groups=np.arange(90).repeat(5),
    )
    assert scores == pytest.approx(expected, abs=1e-12)


def test_the_resamples_of_groups_vary_as_ratios_of_their_sums_do() -> None:
    labels, predicted = drawn(runs=1, samples=600, width=6)
    groups = np.random.default_rng(0).integers(200, size=600)
    actual = resampled_score(
        labels, predicted, METRICS["f1_samples"], resamples=4_000, seed=0, groups=groups
    )
    form = METRICS["f1_samples"].form
    assert isinstance(form, MeanOverSamples)
    ones = form.scores(labels, predicted)[:, 0]
    # Of a ratio of sums over clusters: Cochran 1977, Sampling Techniques, section 9A.
    totals = np.bincount(groups, ones - ones.mean())
    assert actual.std() == pytest.approx(np.sqrt((totals**2).sum()) / 600, rel=0.05)


@every_metric
@pytest.mark.parametrize("memory", [1, 5_000, 100_000])
def test_blocks_do_not_change_a_bit(metric: str, memory: int) -> None:
    labels, predicted = drawn(runs=7, samples=211, width=6)
    whole = resampled_score(labels, predicted, METRICS[metric], resamples=23, seed=1)
    parts = resampled_score(labels, predicted, METRICS[metric], resamples=23, seed=1, memory=memory)
    assert np.array_equal(parts, whole)


@every_metric
def test_equal_runs_never_differ_however_the_groups_are(metric: str) -> None:
    labels, predicted = drawn(runs=6, samples=997, width=6)
    predicted[[4, 5]] = predicted[0]
    groups = np.sort(np.random.default_rng(0).integers(90, size=997)) ** 2 // 90
    scores = resampled_score(
        labels, predicted, METRICS[metric], resamples=200, seed=0, groups=groups
    )
    assert np.ptp(scores[:, [0, 4, 5]], axis=1).tolist() == [0.0] * 200


@pytest.mark.parametrize("metric", ["f1_micro", "f1_macro"])
def test_float32_is_exact(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    labels, predicted = drawn(runs=3, samples=500, width=18)
    in_float32 = resampled_score(labels, predicted, METRICS[metric], resamples=20, seed=0)
    monkeypatch.setattr(bootstrap, "EXACT_FLOAT32", 0)
    in_float64 = resampled_score(labels, predicted, METRICS[metric], resamples=20, seed=0)
    assert np.array_equal(in_float32, in_float64)


@every_metric
def test_runs_are_paired_so_equal_runs_never_differ(metric: str) -> None:
    labels, predicted = drawn(runs=13, samples=997, width=18)
    predicted[[4, 12]] = predicted[0]
    scores = resampled_score(labels, predicted, METRICS[metric], resamples=200, seed=0)
    assert np.ptp(scores[:, [0, 4, 12]], axis=1).tolist() == [0.0] * 200
    assert scores[:, 0].std() > 0


@every_metric
def test_a_run_alone_has_the_scores_that_it_has_among_others(metric: str) -> None:
    labels, predicted = drawn(runs=9, samples=400, width=4)
    together = resampled_score(labels, predicted, METRICS[metric], resamples=50, seed=3)
    alone = resampled_score(labels, predicted[5:6], METRICS[metric], resamples=50, seed=3)
    assert np.array_equal(alone[:, 0], together[:, 5])


def test_the_seed_decides_the_resamples() -> None:
    labels, predicted = drawn(runs=1, samples=100, width=3)
    first, again, other = (
        resampled_score(labels, predicted, METRICS["f1_samples"], resamples=10, seed=seed)
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_resamples_of_a_mean_vary_as_means_do() -> None:
    labels, predicted = drawn(runs=1, samples=500, width=6)
    scores = resampled_score(labels, predicted, METRICS["f1_samples"], resamples=4_000, seed=0)[
        :, 0
    ]
    ones = [
        score(labels[n : n + 1], predicted[:, n : n + 1], METRICS["f1_samples"])[0]
        for n in range(500)
    ]
    assert scores.mean() == pytest.approx(
        np.mean(ones), abs=4 * np.std(ones) / (500 * 4_000) ** 0.5
    )
    assert scores.std() == pytest.approx(np.std(ones) / 500**0.5, rel=0.05)


@pytest.mark.parametrize("metric", ["f1_samples", "f1_micro", "f1_macro"])
@pytest.mark.filterwarnings("error")
def test_labels_without_positives_count_0_and_samples_without_labels_1(metric: str) -> None:
    labels, predicted = drawn(runs=2, samples=40, width=3)
    nothing, right = np.zeros_like(labels), float(metric == "f1_samples")
    assert score(nothing, predicted * 0, METRICS[metric]).tolist() == [right, right]
    scores = resampled_score(nothing, predicted * 0, METRICS[metric], resamples=5, seed=0)
    assert scores.tolist() == [[right, right]] * 5
    # One more label that nothing has takes from the mean over labels alone.
    both = np.pad(labels, ((0, 0), (0, 1))), np.pad(predicted, ((0, 0), (0, 0), (0, 1)))
    share = 3 / 4 if metric == "f1_macro" else 1
    expected = share * resampled_score(labels, predicted, METRICS[metric], resamples=5, seed=0)
    assert resampled_score(*both, METRICS[metric], resamples=5, seed=0) == pytest.approx(
        expected, abs=1e-10
    )


@every_metric
def test_memory_is_bounded_however_many_the_runs(metric: str) -> None:
    labels, predicted = drawn(runs=60, samples=1_000, width=18)
    memory = 2**23  # Less than a product of all resamples and all runs' labels.
    tracemalloc.start()
    resampled_score(labels, predicted, METRICS[metric], resamples=1_500, seed=0, memory=memory)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    scores = 1_500 * 60 * 8
    assert peak < memory + scores


@pytest.mark.parametrize(
    ("labels", "predicted"),
    [((3, 2), (3, 2)), ((3, 2), (1, 2, 3)), ((0, 2), (1, 0, 2)), ((3, 0), (1, 3, 0))],
)
def test_shapes_that_do_not_match_are_refused(labels: Any, predicted: Any) -> None:
    both = np.zeros(labels, dtype=np.uint8), np.zeros(predicted, dtype=np.uint8)
    with pytest.raises(ValueError, match="expected"):
        score(*both, METRICS["f1_samples"])
    with pytest.raises(ValueError, match="expected"):
        resampled_score(*both, METRICS["f1_macro"], resamples=2, seed=0)


def test_each_sample_has_one_group() -> None:
    labels, predicted = drawn(runs=1, samples=4, width=3)
    with pytest.raises(ValueError, match="expected"):
        resampled_score(
            labels, predicted, METRICS["f1_micro"], resamples=2, seed=0, groups=np.arange(3)
        )
