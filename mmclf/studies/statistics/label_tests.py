"""Each label's F1 against the baseline's: which labels gain or lose, among many that are compared.

With labels times arms comparisons a correction for any error at all would leave nothing: what is
controlled is the share of errors among what is called found (Benjamini & Hochberg 1995, J. Royal
Statistical Society B 57:289-300).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from mmclf.studies.statistics.bootstrap import count_groups, label_f1, resampled_label_f1
from mmclf.studies.statistics.estimates import Estimate, estimate
from mmclf.studies.statistics.resamples import Groups

Labels = NDArray[np.uint8]
Pair = tuple[int, int]
Scores = tuple[NDArray[np.float64], NDArray[np.float64]]

FEWEST_POSITIVES = 10  # in the test set: with fewer, F1 jumps by a tenth with each of them


@dataclass(frozen=True)
class LabelDifference:
    """An arm's F1 of a label less the baseline's, over the seeds that both have.

    `label`: its number; `positives`: how many test samples have it. `f1` and `baseline_f1` are the
    means over seeds; `estimate` and the p are None and nan for fewer than 10 positives, and the p
    for a single seed, as another might give what it likes. `p_adjusted`: Benjamini and Hochberg's.
    """

    arm: str
    label: int
    positives: int
    f1: float
    baseline_f1: float
    estimate: Estimate | None
    p: float
    p_adjusted: float = math.nan


def label_differences(
    labels: Labels,
    predicted: Labels,
    pairs: Mapping[str, Sequence[Pair]],
    *,
    resamples: int,
    seed: int,
    groups: Groups | None = None,
    memory: int = 2**28,
) -> list[LabelDifference]:
    """The differences of every arm and label, of labels (N, L) and label sets (R, N, L) of R runs.

    `pairs`: by arm, for each seed the rows in `predicted` of its run and of the baseline's. The
    rest as of `resampled_score`; `memory` bounds the bytes that the resamples of some labels take.
    """
    runs, samples, width = predicted.shape
    count = samples if groups is None else count_groups(groups)
    block = max(1, memory // (8 * resamples * runs))
    differences: list[LabelDifference] = []
    for start in range(0, width, block):
        part = slice(start, start + block)
        own, sets = labels[:, part], predicted[:, :, part]
        values = label_f1(own, sets)
        resampled = resampled_label_f1(
            own, sets, resamples=resamples, seed=seed, groups=groups, memory=memory
        )
        for arm, rows in pairs.items():
            sides = [
                (values[list(side)], resampled[:, list(side)]) for side in zip(*rows, strict=True)
            ]
            for label, positives in enumerate(own.sum(axis=0, dtype=np.int64).tolist()):
                mine, base = ((of[:, label], again[:, :, label]) for of, again in sides)
                tested = _tested(mine, base, count) if positives >= FEWEST_POSITIVES else None
                means = float(mine[0].mean()), float(base[0].mean())
                p = math.nan if tested is None or tested.seeds < 2 else tested.p
                differences.append(
                    LabelDifference(arm, start + label, positives, *means, tested, p)
                )
    order = list(pairs)
    return adjusted(sorted(differences, key=lambda of: (order.index(of.arm), of.label)))


def _tested(mine: Scores, base: Scores, groups: int) -> Estimate:
    """The difference of two scores, each of S seeds (S,) and on B resamples (B, S)."""
    return estimate(mine[0] - base[0], mine[1] - base[1], groups)


def adjusted(differences: Sequence[LabelDifference]) -> list[LabelDifference]:
    """The differences with each p adjusted over all that have one."""
    tested = [row for row, of in enumerate(differences) if not math.isnan(of.p)]
    if not tested:
        return list(differences)
    p = np.full(len(differences), math.nan)
    p[tested] = false_discovery_control([differences[row].p for row in tested], method="bh")
    return [replace(of, p_adjusted=float(q)) for of, q in zip(differences, p, strict=True)]
