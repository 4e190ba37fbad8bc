"""The label sets that tracked runs predicted, from their artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.evaluation.scores import probabilities_of
from mmclf.evaluation.threshold_search import Empty, best_global
from mmclf.evaluation.thresholds import decide
from mmclf.storage.tracking import TrackedRun, Tracker
from mmclf.storage.tracking.local_files import fetched_file
from mmclf.studies.report.artifacts.artifact_files import (
    ModelSettings,
    damaged,
    read_columns,
    read_json,
)

Labels = NDArray[np.uint8]
Floats = NDArray[np.float64]
FITTED = "_fitted"  # the rule whose threshold comes from val


@dataclass(frozen=True)
class Part:
    """The samples of one part: ids and groups (N,), labels and probabilities (N, L)."""

    ids: NDArray[np.str_]
    groups: NDArray[np.int64]
    labels: Labels
    probabilities: Floats

    def __post_init__(self) -> None:
        """Raise ValueError unless each sample has a group."""
        if self.groups.shape != self.ids.shape:
            raise ValueError(f"groups {self.groups.shape} of ids {self.ids.shape}")


@dataclass(frozen=True)
class Predictions:
    """What a run predicted: test, and val if it was read; the thresholds (L,) it decided by."""

    val: Part | None
    test: Part
    thresholds: Floats
    empty: Empty
    label_names: tuple[str, ...]

    def sets(self, rule: str) -> Labels:
        """The test set's label sets (N, L) by a rule.

        `""`: the run's own thresholds; `_at_0.5`; `_fitted`, one threshold fitted on val.
        """
        return decide(self.test.probabilities, self._thresholds(rule), self.empty)

    def _thresholds(self, rule: str) -> Floats:
        if rule == "":
            return self.thresholds
        value = 0.5
        if rule == FITTED:
            assert self.val is not None
            value = best_global(self.val.probabilities, self.val.labels, self.empty, "samples")
        return np.full(len(self.thresholds), value)


def read_predictions(
    tracker: Tracker, run: TrackedRun, folder: Path, *, with_val: bool
) -> Predictions:
    """The predictions of a run, fetched into `folder` unless they are in this file system.

    Raises ArtifactError if they are damaged.
    """
    val = _part(fetched_file(tracker, run, "predictions/val.npz", folder)) if with_val else None
    test = _part(fetched_file(tracker, run, "predictions/test.npz", folder))
    path = fetched_file(tracker, run, "model/model.json", folder)
    settings = read_json(path, ModelSettings)
    predictions = Predictions(
        val, test, np.asarray(settings.thresholds), _empty(settings), tuple(settings.label_names)
    )
    widths = {part.labels.shape[1] for part in (val, test) if part is not None}
    if widths | {len(settings.thresholds), len(settings.label_names)} != {len(settings.thresholds)}:
        raise damaged(path, "it has another number of labels than the predictions")
    return predictions


def _empty(settings: ModelSettings) -> Empty:
    """What a prediction without labels becomes; nothing, by any word but one."""
    return "argmax" if settings.empty == "argmax" else "empty"


def _part(path: Path) -> Part:
    columns = read_columns(path)
    ids, groups, labels = columns["ids"], columns["groups"], columns["labels"]
    return Part(ids, groups, labels.astype(np.uint8), probabilities_of(columns["logits"]))
