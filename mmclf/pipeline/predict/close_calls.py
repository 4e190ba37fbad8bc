"""Samples whose labels the last bits of a probability may decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.threshold_search import Empty
from mmclf.evaluation.thresholds import Floats

MARGIN = 1e-4  # far above what the place in a batch changes in a probability
RELATIVE_MARGIN = 1e-2  # close to 0 and 1, of p (1 - p)


def close_calls(
    probabilities: Floats, thresholds: Floats, empty: Empty, *, top: int = 0
) -> NDArray[np.int64]:
    """The rows of probabilities (N, L) that come so close to a threshold (L,) or to each other.

    Two probabilities of a sample decide its labels where its most probable label is taken as none
    reaches its threshold, and where the order of its `top` most probable ones is asked for.
    """
    margins = _margin(thresholds)
    is_close = (np.abs(probabilities - thresholds) <= margins).any(axis=1)
    if empty == "argmax":
        is_empty = (probabilities < thresholds).all(axis=1)
        is_close |= is_empty & _has_tie(probabilities, 1)
    if top > 0:
        is_close |= _has_tie(probabilities, top)
    return np.flatnonzero(is_close)


def _margin(probabilities: Floats) -> Floats:
    # A logit's rounding changes its probability by p (1 - p) times as much: without it, thresholds
    # close to 0, as of rare labels, would be close to every sample.
    margin: Floats = np.minimum(MARGIN, RELATIVE_MARGIN * probabilities * (1 - probabilities))
    return margin


def _has_tie(probabilities: Floats, top: int) -> NDArray[np.bool_]:
    """Whether two of the `top` most probable labels, or the next one, are all but equal (N,)."""
    ordered = -np.sort(-probabilities, axis=1)[:, : top + 1]
    gaps = ordered[:, :-1] - ordered[:, 1:]
    return np.asarray((gaps <= 2 * _margin(ordered[:, :-1])).any(axis=1))
