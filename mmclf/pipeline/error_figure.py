"""A run's figure of what it gets wrong in the test set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.errors import LabelErrors, costly_labels
from mmclf.evaluation.scores import probabilities_of
from mmclf.evaluation.threshold_search import Empty
from mmclf.evaluation.thresholds import decide
from mmclf.pipeline.figures import stored_picture
from mmclf.pipeline.run_data import RunData
from mmclf.plots.errors import CELLS, ErrorRow, ErrorSample, errors_figure
from mmclf.plots.words import counted, points
from mmclf.storage.store.hashing import array_digest
from mmclf.storage.store.store import Store

NAME, LABELS = "errors", 4


def write_error_figure(
    folder: Path,
    data: RunData,
    logits: NDArray[np.float32],
    thresholds: NDArray[np.float64],
    empty: Empty,
    store: Store,
) -> None:
    """`figures/errors.png`: the worst errors of the labels that cost most; none without errors.

    Args:
        folder: of the artifacts.
        data: of the run.
        logits: (N, L) of the test set.
        thresholds: (L,).
        empty: what a prediction without labels becomes.
        store: of the figures.

    """
    labels, probabilities = data.labels("test"), probabilities_of(logits)
    predicted = decide(probabilities, thresholds, empty)
    costly = costly_labels(labels, predicted, probabilities, LABELS)
    if not costly:
        return
    rows = [_row(data, probabilities, errors) for errors in costly]
    numbers = [_numbers(row) for row in rows]
    picture = stored_picture(NAME, {"rows": numbers}, lambda: errors_figure(rows), store)
    (folder / "figures" / f"{NAME}.png").write_bytes(picture)


def _row(data: RunData, probabilities: NDArray[np.float64], errors: LabelErrors) -> ErrorRow:
    """The errors of a label as they are drawn."""
    positives, negatives = errors.false_positives, errors.false_negatives
    return ErrorRow(
        f"{data.samples.label_names[errors.label]}: costs {points(errors.cost, signed=False)} "
        f"points of samples-F1, by {counted(len(positives), 'false positive')} and "
        f"{counted(len(negatives), 'false negative')}",
        *(
            [_sample(data, int(row), probabilities[row, errors.label]) for row in rows[:CELLS]]
            for rows in (positives, negatives)
        ),
    )


def _sample(data: RunData, row: int, probability: float) -> ErrorSample:
    """The sample in a row of the test set."""
    samples, index = data.samples, int(data.parts.test[row])
    return ErrorSample(
        None if data.images is None else np.asarray(data.images.pictures[index]),
        " / ".join(samples.captions_of(index)),
        [samples.label_names[j] for j in np.flatnonzero(samples.labels[index])],
        float(probability),
    )


def _numbers(row: ErrorRow) -> list[object]:
    """What a row shows, as plain values."""

    def of(samples: Sequence[ErrorSample]) -> list[object]:
        return [
            [
                None if sample.picture is None else array_digest(sample.picture),
                sample.caption,
                list(sample.labels),
                f"{sample.probability:.2f}",
            ]
            for sample in samples
        ]

    return [row.title, of(row.false_positives), of(row.false_negatives)]
