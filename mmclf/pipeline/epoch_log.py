"""Evaluates and logs the epochs of a fit while it runs."""

from __future__ import annotations

import time
from typing import Protocol

from mmclf.evaluation.evaluate import EpochScores
from mmclf.evaluation.outputs import SplitOutputs
from mmclf.evaluation.thresholds import Threshold
from mmclf.pipeline.evaluation_stage import score_epoch
from mmclf.pipeline.run_data import RunData
from mmclf.storage.tracking import RunLog


class EpochOutputs(Protocol):
    """The outputs after an epoch."""

    @property
    def number(self) -> int:
        """The number of the epoch, from 1."""

    @property
    def train(self) -> SplitOutputs:
        """The training samples' outputs."""

    @property
    def val(self) -> SplitOutputs:
        """The validation samples' outputs."""


class EpochLog:
    """Logs the curves of a run.

    Attributes:
        history: the metrics of the epochs so far.
        seconds: spent on evaluating and logging, which do not count as training time.

    """

    def __init__(self, run: RunLog, data: RunData, threshold: Threshold) -> None:
        self._run, self._data, self._threshold = run, data, threshold
        self.history: list[EpochScores] = []
        self.seconds = 0.0

    def log(self, epoch: EpochOutputs) -> None:
        """Evaluate an epoch and log its metrics at its number."""
        started = time.perf_counter()
        metrics = score_epoch(self._data, self._threshold, epoch.train, epoch.val)
        self.history.append(metrics)
        self._run.curves({epoch.number: metrics})
        self.seconds += time.perf_counter() - started
