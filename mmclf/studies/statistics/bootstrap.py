"""The bootstrap of a metric over groups of test samples: many runs, by matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.metrics import METRICS, MeanOverSamples, Metric, RatioOfSums, Ratios, ratio
from mmclf.studies.statistics.resamples import Groups, resamples_of

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]

# Whole numbers below it are exact in float32, in whatever order they are summed.
EXACT_FLOAT32 = 2**24


def score(labels: Labels, predicted: Labels, metric: Metric) -> Floats:
    """A metric (R,) of the label sets (R, N, L) of R runs, against labels (N, L)."""
    _check_shapes(labels, predicted)
    form = metric.form
    if isinstance(form, MeanOverSamples):
        means: Floats = form.scores(labels, predicted).mean(axis=0)
        return means
    above, below = form.parts(labels, predicted)
    return _mean_ratio(above.sum(axis=0), below.sum(axis=0))


def resampled_score(
    labels: Labels,
    predicted: Labels,
    metric: Metric,
    *,
    resamples: int,
    seed: int,
    groups: Groups | None = None,
    memory: int = 2**28,
) -> Floats:
    """A metric (B, R) of the label sets (R, N, L) of R runs on each of B = `resamples` resamples.

    `groups` (N,) names the group of each sample, which belong together as the captions of one image
    do; without it each sample is its own. The resamples are those of `resamples_of`. All runs are
    scored on the same ones, so that their differences are paired by sample. With how often each
    sample was drawn, (B, N), the sums that a metric is made of are matrix products. These go by
    blocks of about `memory` bytes, which do not change a bit of the result.
    """
    _check_shapes(labels, predicted)
    runs, samples, width = predicted.shape
    drawn_from = resamples_of(samples, groups, count=resamples, seed=seed)
    most = drawn_from.most
    # In float32, with half the bytes and faster, where no sum can be rounded.
    of_counts = isinstance(metric.form, RatioOfSums)
    whole = of_counts and 2 * most * width < EXACT_FLOAT32
    rows = max(1, memory // 4 // (8 * samples))
    columns = max(1, memory // 4 // (8 * width * (samples + 2 * rows)))
    scores = np.empty((resamples, runs))
    for block, drawn in drawn_from.blocks(rows, np.float32 if whole else np.float64):
        for run in range(0, runs, columns):
            part = _weighted(drawn, labels, predicted[run : run + columns], metric, most)
            scores[block, run : run + columns] = part
    return scores


def label_f1(labels: Labels, predicted: Labels) -> Floats:
    """The F1 of every label (R, L), of the label sets (R, N, L) of R runs against labels (N, L)."""
    _check_shapes(labels, predicted)
    above, below = (part.sum(axis=0) for part in _label_parts(labels, predicted))
    return ratio(above, below)


def resampled_label_f1(
    labels: Labels,
    predicted: Labels,
    *,
    resamples: int,
    seed: int,
    groups: Groups | None = None,
    memory: int = 2**28,
) -> Floats:
    """The F1 of every label (B, R, L), on the same resamples as `resampled_score`'s."""
    _check_shapes(labels, predicted)
    runs, samples, width = predicted.shape
    drawn_from = resamples_of(samples, groups, count=resamples, seed=seed)
    rows = max(1, memory // 4 // (8 * samples))
    columns = max(1, memory // 4 // (8 * (samples + 2 * rows)))
    parts = [part.reshape(samples, -1) for part in _label_parts(labels, predicted)]
    scores = np.empty((resamples, runs * width))
    dtype = np.float32 if 2 * drawn_from.most < EXACT_FLOAT32 else np.float64
    for block, drawn in drawn_from.blocks(rows, dtype):
        for column in range(0, runs * width, columns):
            some = slice(column, column + columns)
            above, below = (drawn @ part[:, some].astype(dtype) for part in parts)
            scores[block, some] = ratio(above, below)
    return scores.reshape(resamples, runs, width)


def _label_parts(labels: Labels, predicted: Labels) -> Ratios:
    form = METRICS["f1_macro"].form  # the mean over labels of what is wanted
    assert isinstance(form, RatioOfSums)
    return form.parts(labels, predicted)


def count_groups(groups: Groups) -> int:
    """How many groups G samples are in, by the group (N,) of each."""
    return len(np.unique(groups))


def _weighted(
    times: NDArray[Any], labels: Labels, predicted: Labels, metric: Metric, most: int
) -> Floats:
    """The metric (B, R) where sample n of N counts `times` (B, N), `most` together at most."""
    samples, form = len(labels), metric.form
    if isinstance(form, MeanOverSamples):
        # At so many binary places no sum over samples is rounded, so its order does not matter:
        # equal runs have equal scores. What is cut off is below 1e-11 up to 50,000 samples.
        unit = 2.0 ** (52 - most.bit_length())
        scores = form.scores(labels, predicted)
        means: Floats = times @ (np.round(scores * unit) / unit) / times.sum(axis=1, keepdims=True)
        return means
    parts = form.parts(labels, predicted)
    # In the type of `times`, as a product of two types is none of BLAS's.
    above, below = (
        (times @ part.reshape(samples, -1).astype(times.dtype)).reshape(-1, *part.shape[1:])
        for part in parts
    )
    return _mean_ratio(above, below)


def _mean_ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """The mean ratio (...) over the groups of sums (..., G)."""
    means: Floats = ratio(above, below).mean(axis=-1)
    return means


def _check_shapes(labels: Labels, predicted: Labels) -> None:
    if predicted.shape[1:] != labels.shape or not labels.size:
        raise ValueError(
            f"labels {labels.shape} and label sets {predicted.shape}:"
            " expected (N, L) and (R, N, L), with a sample and a label at least"
        )
