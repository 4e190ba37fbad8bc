"""The result of a fit: the logits of every epoch, the test set's, and the model as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmclf.evaluation.outputs import SplitOutputs
from mmclf.models.description import read_files, write_files
from mmclf.storage.store.arrays import load_array, save_array
from mmclf.storage.store.entry import Entry
from mmclf.storage.store.store import StageResult

MODEL = "model"
WEIGHTS = "classifier.safetensors"  # of all that was trained, among the model's files


@dataclass(frozen=True)
class FitResult:
    """Train and val after every epoch, test after the best one, number `best` from 1.

    After a refit train and val are still those of the model that chose the epoch: val is seen by
    the refit one.

    Args:
        summary: the layers in words.
        encoders: what each encoder is.
        model: the files of the artifact `model` but for what the threshold decides.

    """

    train: tuple[SplitOutputs, ...]
    val: tuple[SplitOutputs, ...]
    test: SplitOutputs
    best: int
    summary: str
    encoders: Mapping[str, Mapping[str, Any]]
    model: Mapping[str, bytes]

    def outputs(self) -> dict[str, SplitOutputs]:
        """Those of `train`, `val` and `test` of the best epoch."""
        best = self.best - 1
        return {"train": self.train[best], "val": self.val[best], "test": self.test}


@dataclass(frozen=True)
class _Record:
    """What `outcome.json` holds."""

    best: int
    summary: str
    encoders: Mapping[str, Mapping[str, Any]]
    losses: Mapping[str, list[float]]


class FitResultSerializer:
    """A fit's result in the store: arrays of NumPy, JSON, and the model's own files."""

    def write(self, result: FitResult, folder: Path) -> None:
        """Write it to `folder`."""
        series = {"train": result.train, "val": result.val, "test": (result.test,)}
        for name, outputs in series.items():
            save_array(folder / f"{name}.npy", np.stack([each.logits for each in outputs]))
        losses = {name: [each.loss for each in outputs] for name, outputs in series.items()}
        record = _Record(result.best, result.summary, result.encoders, losses)
        (folder / "outcome.json").write_text(json.dumps(asdict(record)), encoding="utf-8")
        write_files(folder / MODEL, result.model)

    def read(self, entry: Entry) -> FitResult:
        """Read it back."""
        record = _Record(**json.loads(entry.read("outcome.json")))

        def series(name: str) -> tuple[SplitOutputs, ...]:
            stacked = load_array(entry.path(f"{name}.npy"))
            return tuple(map(SplitOutputs, record.losses[name], stacked))

        (test,) = series("test")
        return FitResult(
            train=series("train"),
            val=series("val"),
            test=test,
            best=record.best,
            summary=record.summary,
            encoders=record.encoders,
            model=read_files(entry, MODEL),
        )


class SplitOutputsSerializer:
    """The outputs of a part in the store: logits as an array of NumPy, the loss as JSON."""

    def write(self, outputs: SplitOutputs, folder: Path) -> None:
        """Write them to `folder`."""
        save_array(folder / "logits.npy", outputs.logits)
        (folder / "loss.json").write_text(json.dumps(outputs.loss), encoding="utf-8")

    def read(self, entry: Entry) -> SplitOutputs:
        """Read them back."""
        logits = load_array(entry.path("logits.npy"))
        return SplitOutputs(float(json.loads(entry.read("loss.json"))), logits)


def with_test_outputs(
    fit: StageResult[FitResult], tested: StageResult[SplitOutputs]
) -> StageResult[FitResult]:
    """A fit's result with other outputs of the test set, at the cost of both."""
    value = replace(fit.value, test=tested.value)
    return StageResult(value, tested.timing, tested.inputs, tested.reused)
