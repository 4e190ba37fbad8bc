"""Every threshold tried, scored by scikit-learn: what the searches are held to."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from mmclf.evaluation.threshold_search import Average, Empty
from mmclf.evaluation.thresholds import decide

Floats = NDArray[np.float64]
Labels = NDArray[np.uint8]
Drawn = tuple[Floats, Labels]

AVERAGES: list[Average] = ["macro", "micro", "samples"]
POLICIES: list[Empty] = ["argmax", "empty"]
EVERY = [(average, empty) for average in AVERAGES for empty in POLICIES]
every_search = pytest.mark.parametrize(("average", "empty"), EVERY)


def matrix(rows: list[list[int]]) -> Labels:
    return np.array(rows, dtype=np.uint8)


def scored(decided: Labels, labels: Labels, average: Average) -> Floats:
    """scikit-learn's F1 (C,) of many decisions (C, N, L), at a single call, which is slow."""
    both = np.broadcast_to(labels, decided.shape), decided
    many, samples, width = decided.shape
    # The groups that have an F1 each become labels of scikit-learn's.
    if average == "macro":
        columns = [m.transpose(1, 0, 2).reshape(samples, -1) for m in both]
    elif average == "samples":
        columns = [m.reshape(-1, width).T for m in both]
    else:
        columns = [m.reshape(many, -1).T for m in both]
    # It takes a single column for the classes 0 and 1.
    true, predicted = (np.pad(m, ((0, 0), (0, 1))) for m in columns)
    nothing = 1 if average == "samples" else 0
    scores = np.asarray(f1_score(true, predicted, average=None, zero_division=nothing))[:-1]
    means: Floats = scores.reshape(many, -1).mean(axis=1)
    return means


def score(
    probabilities: Floats, labels: Labels, thresholds: Floats, empty: Empty, average: Average
) -> float:
    decided = decide(probabilities, thresholds, empty)
    return float(scored(decided[None], labels, average)[0])


def brute_force(
    probabilities: Floats,
    labels: Labels,
    choices: Iterable[Floats],
    empty: Empty,
    average: Average,
) -> Floats:
    """The scores of every choice of thresholds (L,)."""
    decided = np.stack([decide(probabilities, thresholds, empty) for thresholds in choices])
    return scored(decided, labels, average)


def every_cut(values: Floats) -> list[float]:
    """Thresholds up to 1 that part the values in every way: each value passes itself."""
    return sorted({1.0, *values.ravel().tolist()})


def midpoints(values: Floats) -> list[float]:
    """The thresholds that a search may return."""
    known = sorted({0.0, 1.0, *values.ravel().tolist()})
    lowest = [0.0] if 0 in values else []
    return lowest + [(low + high) / 2 for low, high in pairwise(known)]


def each_label(probabilities: Floats, free: Iterable[int], rest: Floats) -> list[Floats]:
    """Every choice of thresholds for the labels `free`, and those of `rest` for the others."""
    cuts = [
        every_cut(column) if label in set(free) else [kept]
        for label, (column, kept) in enumerate(zip(probabilities.T, rest, strict=True))
    ]
    return [np.array(choice) for choice in product(*cuts)]


@st.composite
def predictions(draw: st.DrawFn) -> Drawn:
    samples, width = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    # Few values, so that many are tied.
    value = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.6, 0.9, 1.0]) | st.floats(0, 1, width=16)
    size = samples * width
    probabilities = draw(st.lists(value, min_size=size, max_size=size))
    labels = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    shape = samples, width
    return np.array(probabilities).reshape(shape), np.array(labels, dtype=np.uint8).reshape(shape)


def noisy(samples: int, width: int, decimals: int = 9) -> Drawn:
    generator = np.random.default_rng(samples)
    labels = (generator.random((samples, width)) < 0.3).astype(np.uint8)
    # Each label has a scale of its own, and so another best threshold.
    chances = (0.4 * labels + 0.6 * generator.random(labels.shape)) * np.linspace(0.3, 1, width)
    return chances.round(decimals), labels
