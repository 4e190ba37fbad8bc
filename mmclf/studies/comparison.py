"""The statistics of a study for anybody's predictions: arrays in, a table out, without a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mmclf.errors import suggestion
from mmclf.evaluation.metrics import METRICS
from mmclf.studies.statistics.average_precision import mean_average_precisions, resampled_map
from mmclf.studies.statistics.bootstrap import count_groups, resampled_score, score
from mmclf.studies.statistics.estimates import DIGITS, Estimate, estimate_of
from mmclf.studies.statistics.seed_sums import contrast_variance, seed_sums
from mmclf.studies.statistics.verdicts import Difference, family

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]

MAP = "map"  # of probabilities; the other metrics are of label sets
LARGEST_MARGIN = 0.1
NO_DIFFERENCE = dict.fromkeys(
    ("difference", "low", "high", "low_single", "high_single", "p", "p_adjusted"), math.nan
)


def compare(
    labels: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    metric: str = "f1_samples",
    groups: ArrayLike | None = None,
    baseline: str | None = None,
    margin: float = 0.005,
    resamples: int = 2000,
) -> pd.DataFrame:
    """Which arms are better than the baseline, worse, or as good: a row for each, in their order.

    `labels` (N, L) of N test samples are 0 or 1. `predictions` has by an arm's name the label sets
    (S, N, L) of S seeds, or (N, L) of one; for the metric `map` probabilities, or anything that
    ranks as they do. Seed s of one arm is paired with seed s of the others. `groups` (N,) names the
    group of each sample where several belong together, as the captions of one image do. The
    baseline is the first arm unless named. `margin`: how far from 0 a difference is as good as
    none. The metrics are those of `mmclf.evaluation.metrics.METRICS`, and `map`.

    Columns: `arm`, `n` seeds, `mean` of the metric, its `difference` to the baseline's; `low` and
    `high` of the interval that holds for all arms at once with 95 %, `low_single` and `high_single`
    of the arm's own; `p` alone and `p_adjusted` for all arms; `verdict`, which is `baseline`,
    `better`, `worse`, `equal` or `undecided`. The formulas, and what the intervals are conditional
    on: docs/studies.md. With the same predictions they are the numbers of a study's report.

    Raises ValueError for labels or predictions of other shapes or values, less than two arms or
    groups, an unknown metric or baseline, a margin beyond 0 to 0.1, less than two resamples.

    >>> chance = np.random.default_rng(0)
    >>> labels = chance.integers(2, size=(500, 4))
    >>> def predicted(error):  # the label sets of three seeds, wrong in so many places
    ...     return labels ^ (chance.random((3, 500, 4)) < error)
    >>> table = compare(labels, {"old": predicted(0.2), "new": predicted(0.1)})
    >>> table[["arm", "n", "verdict"]]
       arm  n   verdict
    0  old  3  baseline
    1  new  3    better
    """
    _check_settings(metric, margin, resamples)
    true = _label_array(labels)
    arms = _arm_arrays(true, predictions, metric)
    names = list(arms)
    base = names.index(_baseline(names, baseline))
    together = _group_array(groups, len(true))
    values, resampled = _scores(true, arms, metric, together, resamples)
    estimates = _to_baseline(names, values, resampled, base, count_groups(together))
    sign = 1 if metric == MAP else METRICS[metric].sign
    differences = family(estimates, comparisons=len(names) - 1, margin=margin, sign=sign)
    return pd.DataFrame(
        {
            "arm": name,
            "n": len(values[arm]),
            "mean": float(values[arm].mean()),
            **_difference_cells(differences[arm]),
        }
        for arm, name in enumerate(names)
    )


def _to_baseline(
    names: Sequence[str], values: Floats, resampled: Floats, base: int, groups: int
) -> list[Estimate | None]:
    """The difference of each arm to that at the index `base`; None for that arm itself.

    `values` (A, S) of A arms and S seeds, `resampled` (B, A, S).
    """
    # As a study's report takes them, so that both give the same numbers.
    order = sorted(range(len(names)), key=lambda arm: names[arm])
    seeds = range(values.shape[1])
    sums = seed_sums([names[arm] for arm in order], seeds, [np.swapaxes(resampled[:, order], 1, 2)])
    return [
        None
        if arm == base
        else estimate_of(
            (values[arm] - values[base]).round(DIGITS),
            contrast_variance([sums], {name: 1.0, names[base]: -1.0}, seeds),
            groups,
        )
        for arm, name in enumerate(names)
    ]


def _difference_cells(difference: Difference | None) -> dict[str, float | str]:
    if difference is None:
        return {**NO_DIFFERENCE, "verdict": "baseline"}
    of = difference.estimate
    cells = (
        *(of.value, difference.low, difference.high, of.low, of.high),
        *(of.p, difference.p),
    )
    return {**dict(zip(NO_DIFFERENCE, cells, strict=True)), "verdict": difference.verdict}


def _scores(
    labels: Labels,
    arms: Mapping[str, NDArray[Any]],
    metric: str,
    groups: NDArray[Any],
    resamples: int,
) -> tuple[Floats, Floats]:
    """The metric of A arms and S seeds (A, S), and on the resamples (B, A, S)."""
    runs = np.concatenate(list(arms.values()))
    if metric == MAP:
        values = mean_average_precisions(labels, runs)
        resampled = resampled_map(labels, runs, resamples=resamples, seed=0, groups=groups)
    else:
        of = METRICS[metric]
        values = score(labels, runs, of)
        resampled = resampled_score(labels, runs, of, resamples=resamples, seed=0, groups=groups)
    return values.reshape(len(arms), -1), resampled.reshape(resamples, len(arms), -1)


def _check_settings(metric: str, margin: float, resamples: int) -> None:
    metrics = [*METRICS, MAP]
    if metric not in metrics:
        raise ValueError(f"metric: found {metric!r}, {suggestion(str(metric), metrics)}")
    if not 0 <= margin <= LARGEST_MARGIN:
        raise ValueError(
            f"margin: found {margin!r}, expected a difference of the metric from 0 to"
            f" {LARGEST_MARGIN}, as 0.005 for half a point"
        )
    if resamples < 2:
        raise ValueError(f"resamples: found {resamples!r}, expected 2 or more")


def _baseline(names: list[str], baseline: str | None) -> str:
    if baseline is None:
        return names[0]
    if baseline not in names:
        raise ValueError(f"baseline: found {baseline!r}, {suggestion(str(baseline), names)}")
    return baseline


def _label_array(labels: ArrayLike) -> Labels:
    array = np.asarray(labels)
    if array.ndim != 2 or not array.size:
        raise ValueError(
            f"labels: found shape {array.shape}, expected (N, L): a row for each sample, a column"
            " for each label"
        )
    return _binary(array, "labels", "")


def _arm_arrays(
    labels: Labels, predictions: Mapping[str, ArrayLike], metric: str
) -> dict[str, NDArray[Any]]:
    """What each arm predicts (S, N, L): label sets, or for mAP what ranks."""
    if len(predictions) < 2:
        raise ValueError(f"predictions: found {len(predictions)} arms, expected 2 or more")
    arms: dict[str, NDArray[Any]] = {}
    for name, predicted in predictions.items():
        where = f"predictions[{name!r}]"
        array = np.asarray(predicted)
        runs = array[None] if array.ndim == 2 else array
        if runs.ndim != 3 or runs.shape[1:] != labels.shape or not len(runs):
            raise ValueError(
                f"{where}: found shape {array.shape}, expected {('S', *labels.shape)} or"
                f" {labels.shape}, for the same {len(labels)} samples and {labels.shape[1]} labels"
                " as in labels"
            )
        arms[name] = _ranks(runs, where) if metric == MAP else _binary(runs, where, metric)
    first, *others = arms
    for name in others:
        if len(arms[name]) != len(arms[first]):
            raise ValueError(
                f"predictions[{name!r}]: found {len(arms[name])} seeds, expected"
                f" {len(arms[first])} as in {first!r}: arms are paired seed by seed"
            )
    return arms


def _binary(array: NDArray[Any], where: str, metric: str) -> Labels:
    """The same as 0 and 1; ValueError if there is anything else."""
    is_number = np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_
    wrong = ~np.isin(array, (0, 1)) if is_number else np.ones(array.shape, dtype=np.bool_)
    if wrong.any():
        hint = f"; {metric} is of label sets, {MAP!r} of probabilities" if metric else ""
        raise ValueError(f"{where}: found {array[wrong][0]!r}, expected 0 or 1 alone{hint}")
    return array.astype(np.uint8)


def _ranks(array: NDArray[Any], where: str) -> Floats:
    """Probabilities; ValueError if one is no finite number."""
    is_number = np.issubdtype(array.dtype, np.number) or array.dtype == np.bool_
    finite = np.isfinite(array) if is_number else np.zeros(array.shape, dtype=np.bool_)
    if not finite.all():
        raise ValueError(f"{where}: found {array[~finite][0]!r}, expected finite numbers")
    return array.astype(np.float64)


def _group_array(groups: ArrayLike | None, samples: int) -> NDArray[Any]:
    """The group (N,) of each sample, its own where none is given."""
    array = np.arange(samples) if groups is None else np.asarray(groups)
    if array.shape != (samples,):
        raise ValueError(
            f"groups: found shape {array.shape}, expected ({samples},): one for each sample"
        )
    count = count_groups(array)
    if count < 2:
        what = "samples" if groups is None else "groups"
        raise ValueError(f"{what}: found {count}, expected 2 or more to tell how much they vary")
    return array
