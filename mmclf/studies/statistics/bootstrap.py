"""The bootstrap of a metric over groups of test samples: many runs, by matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.metrics import METRICS, MeanOverSamples, Metric, RatioOfSums, Ratios, ratio

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
Groups = NDArray[Any]

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
    do; without it each sample is its own. A resample is G of the G groups, drawn with replacement
    and each with all its samples (Efron & Tibshirani 1993, An Introduction to the Bootstrap; of
    groups: Davison & Hinkley 1997, Bootstrap Methods and their Application, section 3.8):
    `integers(G, size=G)` of numpy's `default_rng(seed)`, B times in a row, groups in the order in
    which they appear. All runs are scored on the same ones, so that their differences are paired by
    sample. With how often each sample was drawn, (B, N), the sums that a metric is made of are
    matrix products. These go by blocks of about `memory` bytes, which do not change a bit of the
    result.
    """
    _check_shapes(labels, predicted)
    runs, samples, width = predicted.shape
    group_of, sizes = _numbered(groups, samples)
    most = len(sizes) * int(sizes.max())
    # In float32, with half the bytes and faster, where no sum can be rounded.
    of_counts = isinstance(metric.form, RatioOfSums)
    whole = of_counts and 2 * most * width < EXACT_FLOAT32
    rows = max(1, memory // 4 // (8 * samples))
    columns = max(1, memory // 4 // (8 * width * (samples + 2 * rows)))
    scores = np.empty((resamples, runs))
    row = 0
    for drawn in _draws(group_of, sizes, resamples, seed, rows, whole):
        for run in range(0, runs, columns):
            part = _weighted(drawn, labels, predicted[run : run + columns], metric, most)
            scores[row : row + len(drawn), run : run + columns] = part
        row += len(drawn)
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
    group_of, sizes = _numbered(groups, samples)
    whole = 2 * len(sizes) * int(sizes.max()) < EXACT_FLOAT32
    rows = max(1, memory // 4 // (8 * samples))
    parts = [part.reshape(samples, -1) for part in _label_parts(labels, predicted)]
    found = np.empty((resamples, runs * width))
    columns = max(1, memory // 4 // (8 * (samples + 2 * rows)))
    row = 0
    for drawn in _draws(group_of, sizes, resamples, seed, rows, whole):
        for column in range(0, runs * width, columns):
            block = slice(column, column + columns)
            above, below = (drawn @ part[:, block].astype(drawn.dtype) for part in parts)
            found[row : row + len(drawn), block] = ratio(above, below)
        row += len(drawn)
    return found.reshape(resamples, runs, width)


def _label_parts(labels: Labels, predicted: Labels) -> Ratios:
    form = METRICS["f1_macro"].form  # the mean over labels of what is wanted
    assert isinstance(form, RatioOfSums)
    return form.parts(labels, predicted)


def _draws(
    group_of: NDArray[np.intp],
    sizes: NDArray[np.intp],
    resamples: int,
    seed: int,
    rows: int,
    whole: bool,
) -> Iterator[NDArray[Any]]:
    """How often each of N samples is drawn (n, N), up to `rows` resamples at a time."""
    chance = np.random.default_rng(seed)
    for row in range(0, resamples, rows):
        dtype = np.float32 if whole else np.float64
        drawn = np.empty((min(rows, resamples - row), len(group_of)), dtype)
        for times in drawn:
            of_groups = chance.integers(len(sizes), size=len(sizes))
            times[:] = np.bincount(of_groups, minlength=len(sizes))[group_of]
        yield drawn


def count_groups(groups: Groups) -> int:
    """How many groups G samples are in, by the group (N,) of each."""
    return len(np.unique(groups))


def _numbered(groups: Groups | None, samples: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The group (N,) of each sample, numbered in the order in which they appear; the sizes (G,)."""
    if groups is None:
        return np.arange(samples), np.ones(samples, dtype=np.intp)
    if groups.shape != (samples,):
        raise ValueError(f"groups {groups.shape}: expected ({samples},), one for each sample")
    _, first, of_sorted, sizes = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    order = first.argsort()
    return order.argsort()[of_sorted], sizes[order]


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
