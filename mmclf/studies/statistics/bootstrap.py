"""The bootstrap of F1 over test samples: many runs on many resamples, as matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.threshold_search import Average

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]

# Whole numbers below it are exact in float32, in whatever order they are summed.
EXACT_FLOAT32 = 2**24


def f1(labels: Labels, predicted: Labels, average: Average) -> Floats:
    """F1 (R,) of the label sets (R, N, L) of R runs, against labels (N, L).

    The mean over samples (`samples`) or labels (`macro`), or pooled (`micro`), as in
    mmclf.evaluation.metrics; 0 where there is nothing to divide by.
    """
    _check_shapes(labels, predicted)
    if average == "samples":
        scores: Floats = _sample_scores(labels, predicted).mean(axis=0)
        return scores
    hits, sizes = _counts(labels, predicted, average)
    return _mean_f1(hits.sum(axis=0), sizes.sum(axis=0))


def resampled_f1(
    labels: Labels,
    predicted: Labels,
    average: Average,
    *,
    resamples: int,
    seed: int,
    memory: int = 2**28,
) -> Floats:
    """F1 (B, R) of the label sets (R, N, L) of R runs on each of B = `resamples` resamples.

    A resample is N of the N samples, drawn with replacement (Efron & Tibshirani 1993, An
    Introduction to the Bootstrap): `integers(N, size=N)` of numpy's `default_rng(seed)`, B times in
    a row. All runs are scored on the same ones, so that their differences are paired by sample.
    With how often each sample was drawn, (B, N), the sums that an F1 is made of are matrix
    products. These go by blocks of about `memory` bytes, which do not change a bit of the result.
    """
    _check_shapes(labels, predicted)
    runs, samples, width = predicted.shape
    # In float32, with half the bytes and faster, where no sum can be rounded.
    whole = average != "samples" and 2 * samples * width < EXACT_FLOAT32
    rows = max(1, memory // 4 // (8 * samples))
    columns = max(1, memory // 4 // (8 * width * (samples + 2 * rows)))
    chance = np.random.default_rng(seed)
    scores = np.empty((resamples, runs))
    for row in range(0, resamples, rows):
        drawn = np.empty((min(rows, resamples - row), samples), np.float32 if whole else np.float64)
        for times in drawn:
            times[:] = np.bincount(chance.integers(samples, size=samples), minlength=samples)
        for run in range(0, runs, columns):
            part = _weighted_f1(drawn, labels, predicted[run : run + columns], average)
            scores[row : row + rows, run : run + columns] = part
    return scores


def _weighted_f1(
    times: NDArray[Any], labels: Labels, predicted: Labels, average: Average
) -> Floats:
    """F1 (B, R) where sample n of N counts `times` (B, N)."""
    samples = len(labels)
    if average == "samples":
        # At so many binary places no sum over samples is rounded, so its order does not matter:
        # equal runs have equal scores. What is cut off is below 1e-11 up to 50,000 samples.
        unit = 2.0 ** (52 - samples.bit_length())
        means: Floats = (
            times @ (np.round(_sample_scores(labels, predicted) * unit) / unit) / samples
        )
        return means
    hits, sizes = _counts(labels, predicted, average)
    shape = (len(times), *hits.shape[1:])
    # In the type of `times`, as a product of two types is none of BLAS's.
    hits, sizes = (
        (times @ counts.reshape(samples, -1).astype(times.dtype)).reshape(shape)
        for counts in (hits, sizes)
    )
    return _mean_f1(hits, sizes)


def _sample_scores(labels: Labels, predicted: Labels) -> Floats:
    """The F1 (N, R) of every sample in every run."""
    hits, sizes = _counts(labels, predicted, "micro")
    return _f1(hits, sizes)[:, :, 0]


def _counts(
    labels: Labels, predicted: Labels, average: Average
) -> tuple[NDArray[Any], NDArray[Any]]:
    """What each sample adds to the hits and to predicted + true of an F1, both (N, R, G).

    Of one F1 of each run (G = 1, `micro`), or of one of each label (G = L, `macro`).
    """
    hits, sizes = ((labels & predicted).swapaxes(0, 1), (labels + predicted).swapaxes(0, 1))
    if average == "macro":
        return hits, sizes
    return hits.sum(axis=2, keepdims=True), sizes.sum(axis=2, keepdims=True)


def _mean_f1(hits: NDArray[Any], sizes: NDArray[Any]) -> Floats:
    """The mean F1 (...) over the groups of hits and sizes (..., G)."""
    scores: Floats = _f1(hits, sizes).mean(axis=-1)
    return scores


def _f1(hits: NDArray[Any], sizes: NDArray[Any]) -> Floats:
    """F1 from hits and predicted + true; 0 where there is nothing to divide by."""
    scores: Floats = 2.0 * hits.astype(np.float64) / np.maximum(sizes, 1)
    return scores


def _check_shapes(labels: Labels, predicted: Labels) -> None:
    if predicted.shape[1:] != labels.shape or not labels.size:
        raise ValueError(
            f"labels {labels.shape} and label sets {predicted.shape}:"
            " expected (N, L) and (R, N, L), with a sample and a label at least"
        )
