"""What predictions get wrong: costly labels, the worst samples, confused pairs, odd labels.

N samples, L labels, S seeds. Functions of arrays alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LabelErrors:
    """The errors of one label.

    Args:
        label: its column.
        cost: by how much the mean F1 of the samples would rise were it decided rightly throughout.
        false_positives: rows where it is predicted wrongly, the most confident first.
        false_negatives: rows where it is missed, the most confident first.

    """

    label: int
    cost: float
    false_positives: NDArray[np.int64]
    false_negatives: NDArray[np.int64]


@dataclass(frozen=True)
class ConfusedPair:
    """A label that is missed where another is predicted wrongly.

    Args:
        missed: column of the one.
        instead: column of the other.
        count: of samples with both errors.
        missed_count: of samples where `missed` is missed.

    """

    missed: int
    instead: int
    count: int
    missed_count: int


@dataclass(frozen=True)
class OddLabel:
    """A label of a sample that every seed contradicts with confidence.

    Args:
        row: of the sample.
        label: the column.
        given: 0 or 1.
        probability: of the label, the mean over seeds.

    """

    row: int
    label: int
    given: int
    probability: float


def costly_labels(
    labels: Labels, predicted: Labels, probabilities: Floats, count: int
) -> list[LabelErrors]:
    """The labels whose errors cost most samples-F1, at most `count`, with their errors.

    Args:
        labels: (N, L).
        predicted: (N, L) label sets.
        probabilities: (N, L), by which errors are ordered.
        count: of labels.

    """
    costs = _costs(labels, predicted)
    chosen = [int(j) for j in np.argsort(-costs, kind="stable")[:count] if costs[j] > 0]
    return [
        _errors(labels[:, j], predicted[:, j], probabilities[:, j], j, costs[j]) for j in chosen
    ]


def _costs(labels: Labels, predicted: Labels) -> Floats:
    """What each label's errors cost (L,), a share: mean F1 with it put right, less mean F1 now."""
    truth, prediction = labels.astype(bool), predicted.astype(bool)
    both, size = (truth & prediction).sum(axis=1), truth.sum(axis=1) + prediction.sum(axis=1)
    now = _f1(both, size)
    # A label put right is in both sets, or in neither.
    right_both = both[:, None] + (truth & ~prediction)
    right_size = size[:, None] + (truth & ~prediction).astype(int) - (~truth & prediction)
    costs: Floats = (_f1(right_both, right_size) - now[:, None]).mean(axis=0)
    return costs


def _f1(both: NDArray[np.int64], size: NDArray[np.int64]) -> Floats:
    """F1 of sets that share `both`, of `size` together; 1 of two empty ones."""
    scores: Floats = np.where(size == 0, 1.0, 2 * both / np.maximum(size, 1))
    return scores


def _errors(
    truth: Labels, prediction: Labels, probability: Floats, label: int, cost: float
) -> LabelErrors:
    positives = np.flatnonzero((prediction == 1) & (truth == 0))
    negatives = np.flatnonzero((prediction == 0) & (truth == 1))
    return LabelErrors(
        label,
        float(cost),
        positives[np.argsort(-probability[positives], kind="stable")],
        negatives[np.argsort(probability[negatives], kind="stable")],
    )


def confused_pairs(
    labels: Labels, predicted: Labels, count: int, least: int = 2
) -> list[ConfusedPair]:
    """The pairs of labels that are confused on most samples, at most `count`, on `least` or more.

    On a sample of both errors, one label is missed and the other predicted wrongly; `labels` and
    `predicted` are (N, L).
    """
    missed = ((labels == 1) & (predicted == 0)).astype(np.int64)
    wrong = ((labels == 0) & (predicted == 1)).astype(np.int64)
    together = missed.T @ wrong
    order = np.argsort(-together, axis=None, kind="stable")[:count]
    places = zip(*np.unravel_index(order, together.shape), strict=True)
    totals = missed.sum(axis=0)
    return [
        ConfusedPair(int(a), int(b), int(together[a, b]), int(totals[a]))
        for a, b in places
        if together[a, b] >= least
    ]


def odd_labels(labels: Labels, probabilities: Floats, count: int) -> list[OddLabel]:
    """The labels (N, L) that look wrong by the probabilities (S, N, L) of all seeds, oddest first.

    Confident learning (Northcutt, Jiang and Chuang, JAIR 70, 2021), label by label against the rest
    as Thyagarajan et al. do (arXiv:2211.13895): a class counts as likely where its probability is
    at least the mean of it over the samples that are labelled so. A label is odd where the other
    class is likely, and more so than the given one, by each seed. The samples must be ones that the
    models were not trained on. A label without both classes has none.
    """
    given = labels.astype(bool)
    odd = np.ones(labels.shape, dtype=bool)
    for of_seed in probabilities:
        with np.errstate(invalid="ignore"):
            as_present = np.where(given, of_seed, 0).sum(axis=0) / given.sum(axis=0)
            as_absent = np.where(given, 0, 1 - of_seed).sum(axis=0) / (~given).sum(axis=0)
        # A comparison with nan, of a label without a sample of a class, is false.
        likely_present = (of_seed >= as_present) & (of_seed > 0.5)
        likely_absent = (1 - of_seed >= as_absent) & (of_seed < 0.5)
        odd &= np.where(given, likely_absent, likely_present)
    odd &= given.any(axis=0) & ~given.all(axis=0)
    mean = probabilities.mean(axis=0)
    of_given = np.where(given, mean, 1 - mean)
    rows, columns = np.nonzero(odd)
    order = np.argsort(of_given[rows, columns], kind="stable")[:count]
    return [
        OddLabel(int(i), int(j), int(labels[i, j]), float(mean[i, j]))
        for i, j in zip(rows[order], columns[order], strict=True)
    ]
