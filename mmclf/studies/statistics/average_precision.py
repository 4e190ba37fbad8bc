"""The mean average precision of many runs, over groups of test samples that a bootstrap draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmclf.studies.statistics.resamples import Groups, resamples_of

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
# How many resamples are counted at a time; their counts fit a processor's cache.
ROWS = 128


def mean_average_precisions(labels: Labels, probabilities: Floats) -> Floats:
    """The mean average precision (R,) of the probabilities (R, N, L) of R runs.

    That of `resampled_map`, of the samples as they are.
    """
    _check_shapes(labels, probabilities)
    means: Floats = _weighted(
        np.ones((len(labels), 1)), _rankings(labels, probabilities), len(probabilities)
    )[0]
    return means


def resampled_map(
    labels: Labels,
    probabilities: Floats,
    *,
    resamples: int,
    seed: int,
    groups: Groups | None = None,
) -> Floats:
    """The mean average precision (B, R) of R runs on each of B = `resamples` resamples.

    The average precision of a label is the mean, over its true samples, of the precision among the
    samples that are at least as probable; samples that are equally probable come in together, as in
    scikit-learn. The mean is over the labels (N, L) that have a true sample in the resample; 0 if
    none has. Only the order of `probabilities` (R, N, L) within a label counts. The resamples are
    the very ones of `bootstrap.resampled_score`, with `groups` (N,) as there.
    """
    _check_shapes(labels, probabilities)
    scores, rankings = np.empty((resamples, len(probabilities))), _rankings(labels, probabilities)
    drawn_from = resamples_of(len(labels), groups, count=resamples, seed=seed)
    for block, drawn in drawn_from.blocks(ROWS, np.float64):
        scores[block] = _weighted(np.ascontiguousarray(drawn.T), rankings, len(probabilities))
    return scores


@dataclass(frozen=True)
class _Ranking:
    """The samples down to the last true one, most probable first, as one run has them.

    `order`: their places. `true`: the places of the true ones, in the same order. `starts` and
    `true_starts`: where in either begins what comes in with the next true samples.
    """

    order: NDArray[np.intp]
    true: NDArray[np.intp]
    starts: NDArray[np.intp]
    true_starts: NDArray[np.intp]


def _ranking(true: NDArray[np.bool_], probabilities: Floats) -> _Ranking:
    """The ranking of one label with a true sample, by probabilities (N,)."""
    order = np.argsort(-probabilities, kind="stable")
    ranked, is_true = probabilities[order], true[order]
    # Where samples end that are equally probable, and by how many true ones.
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) + 1
    seen = is_true.cumsum()[ends - 1]
    before = np.append(0, seen[:-1])
    with_true = seen > before
    ends = ends[with_true]
    return _Ranking(order[: ends[-1]], order[is_true], np.append(0, ends[:-1]), before[with_true])


def _rankings(labels: Labels, probabilities: Floats) -> list[list[_Ranking]]:
    """That of each run, for each label with a true sample."""
    return [
        [_ranking(labels[:, label] == 1, run[:, label]) for run in probabilities]
        for label in np.flatnonzero(labels.any(axis=0))
    ]


def _weighted(times: NDArray[Any], rankings: Sequence[Sequence[_Ranking]], runs: int) -> Floats:
    """The metric (B, R) where sample n of N counts `times` (N, B); `rankings` by label and run."""
    sums, present = np.zeros((times.shape[1], runs)), np.zeros((times.shape[1], 1))
    for of_label in rankings:
        positives = times[of_label[0].true].cumsum(axis=0)[-1]
        present[:, 0] += positives > 0
        for run, ranking in enumerate(of_label):
            sums[:, run] += _precision_sum(times, ranking) / np.maximum(positives, 1)
    means: Floats = sums / np.maximum(present, 1)
    return means


def _precision_sum(times: NDArray[Any], ranking: _Ranking) -> Floats:
    """The sum (B,) of the precisions at the true samples of one label."""
    added = np.add.reduceat(times[ranking.true], ranking.true_starts, axis=0)
    among = np.add.reduceat(times[ranking.order], ranking.starts, axis=0).cumsum(axis=0)
    precisions = added.cumsum(axis=0) / np.maximum(among, 1)
    # One after the other, so that the number of resamples does not change a bit.
    total: Floats = (added * precisions).cumsum(axis=0)[-1]
    return total


def _check_shapes(labels: Labels, probabilities: Floats) -> None:
    if probabilities.shape[1:] != labels.shape or not labels.size:
        raise ValueError(
            f"labels {labels.shape} and probabilities {probabilities.shape}:"
            " expected (N, L) and (R, N, L), with a sample and a label at least"
        )
