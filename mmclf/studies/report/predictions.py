"""The label sets that tracked runs predicted, from their artifacts."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mmclf.errors import ArtifactError
from mmclf.evaluation.scores import probabilities_of
from mmclf.evaluation.threshold_search import Empty, best_global
from mmclf.evaluation.thresholds import decide
from mmclf.storage.tracking import TrackedRun, Tracker

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
    """The predictions of a run, fetched into `folder`; raises ArtifactError if they are damaged."""
    val = _part(tracker.fetch(run, "predictions/val.npz", folder)) if with_val else None
    test = _part(tracker.fetch(run, "predictions/test.npz", folder))
    path = tracker.fetch(run, "model/model.json", folder)
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        thresholds = np.asarray(settings["thresholds"], dtype=np.float64)
        return Predictions(val, test, thresholds, settings["empty"], tuple(settings["label_names"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, error) from error


def _part(path: Path) -> Part:
    try:
        with np.load(path, allow_pickle=False) as held:
            ids = held["ids"]
            # Files of before samples had groups have none: each sample is its own.
            groups = held["groups"] if "groups" in held else np.arange(len(ids))
            return Part(ids, groups, held["labels"], probabilities_of(held["logits"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ArtifactError:
    return ArtifactError(f"{path} is damaged ({error}): do the run again, or restore the file")
